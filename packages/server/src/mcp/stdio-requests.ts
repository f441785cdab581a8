/** Which requests over stdio are not answered yet, so that a stopping process can wait for them. */

import type { JSONRPCMessage, RequestId, Transport } from '@modelcontextprotocol/server'
import { withSubscribeError } from './subscribe-error.ts'

export interface TrackedTransport extends Transport {
  /** Resolves when every request was answered or cancelled, after so many milliseconds at most. */
  answered(longestMs: number): Promise<void>
}

/**
 * The transport with the requests that run, by their method, which decides the code of some errors.
 * Subscriptions of the 2026 era last, and do not count.
 */
export function trackRequests(transport: Transport): TrackedTransport {
  const open = new Map<RequestId, string>()
  let onIdle: () => void = () => undefined

  function settle(id: RequestId): void {
    if (open.delete(id) && open.size === 0) onIdle()
  }

  function note(message: JSONRPCMessage): void {
    if (!('method' in message)) return
    if ('id' in message && message.method !== 'subscriptions/listen')
      open.set(message.id, message.method)
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
      const sent = transport.send(withSubscribeError(open.get(message.id), message), options)
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
