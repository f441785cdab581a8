/** Keys of `_meta` that a project may use (2025-11-25 and 2026-07-28, basic, "_meta"). */

export type Meta = Readonly<Record<string, unknown>>

const LABEL = '[A-Za-z](?:[A-Za-z\\d-]*[A-Za-z\\d])?'
const KEY = new RegExp(`^(${LABEL}(?:\\.${LABEL})*)/(?:[A-Za-z\\d](?:[\\w.-]*[A-Za-z\\d])?)?$`)

/** Labels reserved for the protocol, as first or second label of a prefix. */
const OF_PROTOCOL = new Set(['modelcontextprotocol', 'mcp'])

/** The first fault in the keys of `_meta`; undefined if they are valid. */
export function metaFault(meta: unknown): string | undefined {
  if (meta === undefined) return undefined
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta))
    return 'meta must be an object'
  for (const key of Object.keys(meta)) {
    const [, prefix] = KEY.exec(key) ?? []
    if (prefix === undefined) {
      return `meta: the key "${key}" must have a prefix, such as example.com/${key.replace(/^.*\//, '') || 'name'}`
    }
    if (isReserved(prefix)) return `meta: the prefix of "${key}" is reserved`
  }
  return undefined
}

function isReserved(prefix: string): boolean {
  const labels = prefix.split('.')
  const [first = '', second = ''] = labels
  return OF_PROTOCOL.has(first) || OF_PROTOCOL.has(second) || prefix === 'mcp-template'
}
