/** The reply of HELLO: what kind of server this is. */

interface Hello {
  readonly mode?: unknown
  readonly isReplica: boolean
}

/** @param reply a RESP 3 map, or the flat array that RESP 2 has instead; proxies may have no reply */
export function readHello(reply: unknown): Hello {
  const { mode, role } = fieldsOf(reply)
  return { mode, isReplica: role === 'replica' || role === 'slave' }
}

function fieldsOf(reply: unknown): Record<string, unknown> {
  if (!Array.isArray(reply)) return Object(reply) as Record<string, unknown>
  return Object.fromEntries(
    reply.flatMap((name, at) => (at % 2 === 0 ? [[name, reply[at + 1]]] : [])),
  )
}
