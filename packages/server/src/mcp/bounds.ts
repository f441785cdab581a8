/**
 * Limits of messages, and of the URIs, ids and subscriptions of clients that the server stores, in
 * UTF-8 bytes; and the fields of notifications, which nodes forward to each other.
 */

import type { JSONRPCNotification, RequestId } from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import { isAnswer } from './client-answer.ts'

/** Maximum subscriptions of one 2025-era MCP session or one `subscriptions/listen` stream. */
const MOST_SUBSCRIPTIONS = 200
const LONGEST_URI_BYTES = 2048

/** Limit of a request id or progress token: every message about the request repeats them. */
const LONGEST_ID_BYTES = 256

/** Whether a value is a valid request id or progress token. */
export function isShortId(id: unknown): id is RequestId {
  if (typeof id === 'number') return true
  return typeof id === 'string' && Buffer.byteLength(id) <= LONGEST_ID_BYTES
}

/** @throws AppError `invalid_params` */
export function checkUriLength(uri: string): void {
  if (Buffer.byteLength(uri) <= LONGEST_URI_BYTES) return
  throw new AppError('invalid_params', `The URI exceeds the limit of ${LONGEST_URI_BYTES} bytes.`)
}

/** @throws AppError `invalid_params` */
export function checkSubscriptionCount(count: number): void {
  if (count <= MOST_SUBSCRIPTIONS) return
  throw new AppError('invalid_params', `Too many subscriptions: ${MOST_SUBSCRIPTIONS} are allowed.`)
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

/** Limit of human-readable text in notifications, in UTF-16 code units. */
const LONGEST_TEXT = 200

export interface Cancellation {
  readonly requestId: RequestId
  readonly reason: string
}

type Params = JSONRPCNotification['params']

/** 2025-11-25, basic/utilities/cancellation. Undefined if `requestId` is invalid. */
export function cancellationOf(params: Params): Cancellation | undefined {
  const requestId = params?.requestId
  if (!isShortId(requestId)) return undefined
  return { requestId, reason: shortText(params?.reason) ?? 'cancelled by the client' }
}

/** 2025-11-25, basic/utilities/progress: copies only the fields that it defines. */
export function progressOf(progressToken: string, params: Params): JSONRPCNotification | undefined {
  const [progress, total] = [params?.progress, params?.total]
  if (typeof progress !== 'number') return undefined
  const message = shortText(params?.message)
  return {
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: {
      ...{ progressToken, progress },
      ...(typeof total === 'number' && { total }),
      ...(message !== undefined && { message }),
    },
  }
}

/** Truncates a text without splitting a surrogate pair. */
function shortText(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  return text.slice(0, LONGEST_TEXT).replace(/[\uD800-\uDBFF]$/, '')
}
