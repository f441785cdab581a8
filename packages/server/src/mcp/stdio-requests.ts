/** Tracks pending requests over stdio, so that graceful shutdown can wait for them. */

import {
  type JSONRPCMessage,
  PROTOCOL_VERSION_META_KEY,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server'
import { withNotFoundCode } from './not-found-error.ts'

export interface TrackedTransport extends Transport {
  /** Resolves when all requests are answered or cancelled, or after `longestMs` milliseconds. */
  answered(longestMs: number): Promise<void>
}

/**
 * Wraps a transport to track its running requests. Stores the method of 2025-era requests, which
 * decides the error code of missing resources. Ignores `subscriptions/listen`, which stays open.
 */
export function trackRequests(transport: Transport): TrackedTransport {
  const open = new Map<RequestId, string | undefined>()
  let onIdle: () => void = () => undefined

  function settle(id: RequestId): void {
    if (open.delete(id) && open.size === 0) onIdle()
  }

  function note(message: JSONRPCMessage): void {
    if (!('method' in message)) return
    if ('id' in message && message.method !== 'subscriptions/listen') {
      const isModern = message.params?._meta?.[PROTOCOL_VERSION_META_KEY] !== undefined
      open.set(message.id, isModern ? undefined : message.method)
    }
    if (message.method === 'notifications/cancelled') {
      const { requestId } = (message.params ?? {}) as { readonly requestId?: RequestId }
      if (requestId !== undefined) settle(requestId)
    }
  }

  const tracked: TrackedTransport = {
    start() {
      transport.onmessage = (message, extra) => {
        note(message)
        tracked.onmessage?.(message, extra)
      }
      transport.onerror = (error) => tracked.onerror?.(error)
      transport.onclose = () => tracked.onclose?.()
      return transport.start()
    },
    send(message, options) {
      if ('method' in message || message.id === undefined) return transport.send(message, options)
      const sent = transport.send(withNotFoundCode(open.get(message.id), message), options)
      settle(message.id)
      return sent
    },
    close: () => transport.close(),
    async answered(longestMs) {
      if (open.size === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, longestMs)
        onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    },
  }
  return tracked
}
