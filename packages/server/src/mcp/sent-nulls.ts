/**
 * Omits members that clients send as `null` where the schema has them optional: serializers of Go,
 * Java, .NET and others write `null` for whatever is not set. No revision allows it, so that the SDK
 * would refuse the message.
 */

import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
} from '@modelcontextprotocol/server'
import { isObject } from '../json-structure.ts'

type Fields = Readonly<Record<string, unknown>>

/** Optional members of `params`, of all methods in all revisions. */
const OPTIONAL = new Set([
  ...['_meta', 'cursor', 'arguments', 'context', 'inputResponses', 'requestState'],
  ...['reason', 'total', 'message', 'task'],
])
const OPTIONAL_META = new Set(['progressToken', LOG_LEVEL_META_KEY])
/** Members of a 2026 envelope that are what `initialize` has in the 2025 era. */
const HANDSHAKE_META = [CLIENT_INFO_META_KEY, CLIENT_CAPABILITIES_META_KEY]

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
  const omitted = isHandshake ? omitInHandshake(params) : omitIn(params, OPTIONAL)
  const meta = omitted._meta
  const omittedMeta = isObject(meta) ? omitInMeta(meta) : meta
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

/** Other members of `_meta` are the client's, where `null` may be a value. */
function omitInMeta(meta: Fields): Fields {
  let omitted = omitIn(meta, OPTIONAL_META)
  for (const key of HANDSHAKE_META) {
    if (hasNull(omitted[key])) omitted = { ...omitted, [key]: omitAll(omitted[key]) }
  }
  return omitted
}

function omitInHandshake({ _meta, ...params }: Fields): Fields {
  const omitted = omitAll(params) as Fields
  return _meta === undefined || _meta === null ? omitted : { ...omitted, _meta }
}

/** At all depths: what a client says of itself has no member for which `null` is a value. */
function omitAll(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(omitAll)
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(([, member]) => member !== null)
  return Object.fromEntries(kept.map(([key, member]) => [key, omitAll(member)]))
}

function hasNull(value: unknown): boolean {
  if (typeof value !== 'object') return false
  if (value === null) return true
  for (const name in value) if (hasNull((value as Fields)[name])) return true
  return false
}
