/**
 * Omits members that clients send as `null` where the schema has them optional: serializers of Go,
 * Java, .NET and others write `null` for whatever is not set. No revision allows it, so that the SDK
 * would refuse the message.
 */

type Fields = Readonly<Record<string, unknown>>

/** Optional members of `params`, of all methods in all revisions. */
const OPTIONAL = new Set([
  ...['_meta', 'cursor', 'arguments', 'context', 'inputResponses', 'requestState'],
  ...['reason', 'total', 'message', 'task'],
])
const OPTIONAL_META = new Set(['progressToken'])

/**
 * Returns the message without such members, or the same message if it has none. Leaves the content
 * of `arguments`, where `null` may be a value, and messages that are no requests or notifications.
 */
export function omitNulls(message: unknown): unknown {
  if (!isObject(message) || typeof message.method !== 'string') return message
  const { params } = message
  if (params === null) {
    const { params: _null, ...rest } = message
    return rest
  }
  if (!isObject(params)) return message
  const isHandshake = message.method === 'initialize'
  const omitted = isHandshake ? omitAll(params) : omitIn(params, OPTIONAL)
  const meta = omitted._meta
  const omittedMeta = isObject(meta) ? omitIn(meta, OPTIONAL_META) : meta
  if (omitted === params && omittedMeta === meta) return message
  return {
    ...message,
    params: omittedMeta === meta ? omitted : { ...omitted, _meta: omittedMeta },
  }
}

function omitIn(fields: Fields, names: ReadonlySet<string>): Fields {
  for (const name of names) {
    if (fields[name] !== null) continue
    return Object.fromEntries(
      Object.entries(fields).filter(([key, value]) => value !== null || !names.has(key)),
    )
  }
  return fields
}

/** At all depths: `initialize` has no member for which `null` is a value. */
function omitAll(fields: Fields): Fields {
  const kept = Object.entries(fields).flatMap(([key, value]) =>
    value === null ? [] : [[key, isObject(value) ? omitAll(value) : value] as const],
  )
  return Object.fromEntries(kept)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
