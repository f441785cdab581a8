/** How large a message may be, by its kind, before anything validates it. */

import { AppError } from '../errors.ts'

const KIBIBYTE = 1024
/** `initialize` and notifications: real ones have a few hundred bytes. */
const HANDSHAKE_BYTES = 16 * KIBIBYTE
/** Requests that carry names, cursors and a few arguments. */
const REQUEST_BYTES = 64 * KIBIBYTE
/** As many URIs as may be listened to, of the greatest length. */
const LISTEN_BYTES = 512 * KIBIBYTE
/** What people and models say is in these; the limit of the body holds for them. */
const UNBOUNDED: ReadonlySet<string> = new Set(['tools/call', 'prompts/get'])

/**
 * Looks at a parsed body of any era and transport, direct calls included. Answers to the server's own
 * requests have bounds of their own.
 * @throws AppError `payload_too_large`
 */
export function checkMessageSize(message: unknown, bytes: number): void {
  if (bytes <= HANDSHAKE_BYTES) return
  const { method, result, error } = (message ?? {}) as Readonly<Record<string, unknown>>
  if (method === undefined && (result !== undefined || error !== undefined)) return
  const most = limitOf(method)
  if (bytes <= most) return
  const what = typeof method === 'string' ? method.slice(0, 100) : 'message'
  throw new AppError('payload_too_large', `The ${what} exceeds the limit of ${most} bytes.`)
}

function limitOf(method: unknown): number {
  if (typeof method !== 'string') return REQUEST_BYTES
  if (UNBOUNDED.has(method)) return Number.POSITIVE_INFINITY
  if (method === 'subscriptions/listen') return LISTEN_BYTES
  const isHandshake = method === 'initialize' || method.startsWith('notifications/')
  return isHandshake ? HANDSHAKE_BYTES : REQUEST_BYTES
}
