/**
 * What every parsed message of a client passes first, on any transport: optional members that are
 * `null` are omitted, and its ids and sizes are checked.
 */

import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  type RequestId,
} from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import { isObject } from '../json-structure.ts'
import { isAnswer } from './client-answer.ts'

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
 * Returns the message without members that are `null` where the schema has them optional, or the
 * same message if it has none: serializers of Go, Java, .NET and others write `null` for whatever is
 * not set, which no revision allows, so that the SDK would refuse the message. Leaves the content of
 * `arguments`, where `null` may be a value, and messages that are no requests or notifications.
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

/** Limit of a request id or progress token: every message about the request repeats them. */
const LONGEST_ID_BYTES = 256

/** Whether a value is a valid request id or progress token. */
export function isShortId(id: unknown): id is RequestId {
  if (typeof id === 'number') return true
  return typeof id === 'string' && Buffer.byteLength(id) <= LONGEST_ID_BYTES
}

const KIBIBYTE = 1024
/** Limit of `initialize` and notifications: real ones have a few hundred bytes. */
const HANDSHAKE_BYTES = 16 * KIBIBYTE
/** Limit of requests that contain names, cursors and a few arguments. */
const REQUEST_BYTES = 64 * KIBIBYTE
/** Limit of `subscriptions/listen`: the maximum number of URIs of the maximum length. */
const LISTEN_BYTES = 512 * KIBIBYTE
/** Methods with content of people and models: only the limit of the body applies. */
const CONTENT_METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get'])

/** Limit of tool and prompt names. */
const NAME_CHARACTERS = 1024
/** Limit of values outside content: the SDK validates each one, and some several times. */
const MAX_VALUES = 1000
/** Members of `params` that are counted separately: content, and `_meta`. */
const BOUNDED_APART: ReadonlySet<string> = new Set(['arguments', 'inputResponses', '_meta'])

interface Posted extends Named {
  readonly method?: unknown
}

interface Named {
  readonly id?: unknown
  readonly params?: {
    readonly name?: unknown
    readonly arguments?: unknown
    readonly _meta?: { readonly progressToken?: unknown }
  }
}

/**
 * Checks the id and the progress token of a message on any transport: the server repeats them in
 * every message about the request, and stores them. Values of other types are left to the schema.
 * @throws AppError `invalid_request`
 */
export function checkIds(message: unknown): void {
  const { id, params } = (message ?? {}) as Named
  checkId('The id', id)
  checkId('The progress token', params?._meta?.progressToken)
}

function checkId(what: string, id: unknown): void {
  if (typeof id !== 'string' || isShortId(id)) return
  throw new AppError('invalid_request', `${what} exceeds the limit of ${LONGEST_ID_BYTES} bytes.`)
}

/**
 * Checks a parsed body of any era and transport, direct calls included. Responses to the server's
 * requests have limits of their own.
 * @throws AppError `payload_too_large`, `invalid_request` or `invalid_params`
 */
export function checkMessageBounds(message: unknown, bytes: number): void {
  checkIds(message)
  const { method, params } = (message ?? {}) as Posted
  // Smaller messages are cheap to validate, and batches are rejected later.
  if (bytes <= HANDSHAKE_BYTES || Array.isArray(message)) return
  if (isAnswer(message)) return
  checkSize(method, bytes)
  const name = params?.name
  if (typeof name === 'string' && name.length > NAME_CHARACTERS) {
    throw new AppError('invalid_params', `The name is longer than ${NAME_CHARACTERS} characters.`)
  }
  checkValues('_meta', params?._meta)
  checkValues('The message', message, params)
  if (method === 'prompts/get') checkValues('arguments', params?.arguments)
}

function checkSize(method: unknown, bytes: number): void {
  const most = limitOf(method)
  if (bytes <= most) return
  const what = typeof method === 'string' ? method.slice(0, 100) : 'message'
  throw new AppError('payload_too_large', `The ${what} exceeds the limit of ${most} bytes.`)
}

function limitOf(method: unknown): number {
  if (typeof method !== 'string') return REQUEST_BYTES
  if (CONTENT_METHODS.has(method)) return Number.POSITIVE_INFINITY
  if (method === 'subscriptions/listen') return LISTEN_BYTES
  const isHandshake = method === 'initialize' || method.startsWith('notifications/')
  return isHandshake ? HANDSHAKE_BYTES : REQUEST_BYTES
}

function checkValues(what: string, value: unknown, params?: unknown): void {
  if (countValues(value, MAX_VALUES, params) <= MAX_VALUES) return
  throw new AppError('invalid_params', `${what} has too many values: the limit is ${MAX_VALUES}.`)
}

/**
 * Counts the elements and members of a value at all depths, without the members of `params` that
 * are counted separately; stops above `most`.
 */
function countValues(value: unknown, most: number, params?: unknown): number {
  let count = 0
  const open = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    // Not `Object.entries`, which would copy all members first.
    for (const name in next) {
      if (next === params && BOUNDED_APART.has(name)) continue
      count += 1
      if (count > most) return count
      open.push((next as Record<string, unknown>)[name])
    }
  }
  return count
}
