/** How large a message and its parts may be, by its kind, before anything validates it. */

import { AppError } from '../errors.ts'

const KIBIBYTE = 1024
/** `initialize` and notifications: real ones have a few hundred bytes. */
const HANDSHAKE_BYTES = 16 * KIBIBYTE
/** Requests that carry names, cursors and a few arguments. */
const REQUEST_BYTES = 64 * KIBIBYTE
/** As many URIs as may be listened to, of the greatest length. */
const LISTEN_BYTES = 512 * KIBIBYTE
/** They carry what people and models say: the limit of the body holds. */
const CONTENT_METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get'])

/** Of ids and progress tokens, which are kept and sent back. */
const ID_CHARACTERS = 256
/** Of tools and prompts. */
const NAME_CHARACTERS = 1024
/** Of all but content: the SDK validates such values one by one, and some of them several times. */
const MAX_VALUES = 1000
/** What people and models say, and `_meta`, which is counted by itself. */
const BOUNDED_APART: ReadonlySet<string> = new Set(['arguments', 'inputResponses', '_meta'])

interface Posted {
  readonly id?: unknown
  readonly method?: unknown
  readonly params?: {
    readonly name?: unknown
    readonly arguments?: unknown
    readonly _meta?: { readonly progressToken?: unknown }
  }
  readonly result?: unknown
  readonly error?: unknown
}

/**
 * Checks a parsed body of any era and transport, direct calls included. Answers to the server's own
 * requests have bounds of their own.
 * @throws AppError `payload_too_large`, `invalid_request` or `invalid_params`
 */
export function checkMessageBounds(message: unknown, bytes: number): void {
  const { id, method, params, result, error } = (message ?? {}) as Posted
  if (isLong(id, ID_CHARACTERS)) throw tooLong('invalid_request', 'The id', ID_CHARACTERS)
  if (isLong(params?._meta?.progressToken, ID_CHARACTERS)) {
    throw tooLong('invalid_params', 'The progress token', ID_CHARACTERS)
  }
  // Nothing in a smaller one can be dear, and batches are refused as such.
  if (bytes <= HANDSHAKE_BYTES || Array.isArray(message)) return
  if (method === undefined && (result !== undefined || error !== undefined)) return
  checkSize(method, bytes)
  if (isLong(params?.name, NAME_CHARACTERS)) {
    throw tooLong('invalid_params', 'The name', NAME_CHARACTERS)
  }
  checkValues('_meta', params?._meta)
  checkValues('The message', message, BOUNDED_APART)
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

function checkValues(what: string, value: unknown, apart?: ReadonlySet<string>): void {
  if (countValues(value, MAX_VALUES, apart) <= MAX_VALUES) return
  throw new AppError('invalid_params', `${what} has too many values: the limit is ${MAX_VALUES}.`)
}

/**
 * The elements and members of a value at all depths, without what is in members of the names
 * `apart`; stops above `most`.
 */
function countValues(value: unknown, most: number, apart?: ReadonlySet<string>): number {
  let count = 0
  const open = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    // Not `Object.entries`, which copies all of them first.
    for (const name in next) {
      if (apart?.has(name)) continue
      count += 1
      if (count > most) return count
      open.push((next as Record<string, unknown>)[name])
    }
  }
  return count
}

function isLong(value: unknown, mostCharacters: number): boolean {
  return typeof value === 'string' && value.length > mostCharacters
}

function tooLong(code: 'invalid_request' | 'invalid_params', what: string, most: number): AppError {
  return new AppError(code, `${what} is longer than ${most} characters.`)
}
