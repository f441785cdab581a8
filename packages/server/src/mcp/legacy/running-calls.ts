/** The calls this node runs, so that they can be cancelled from any node and waited for at the end. */

import type { RequestId } from '@modelcontextprotocol/server'
import type { Node } from '../nodes/node.ts'
import type { Exchange } from './exchange.ts'

export interface RunningCalls {
  add(connectionId: string, requestId: RequestId, exchange: Exchange): void
  /** Cancels a call wherever it runs. */
  cancel(connectionId: string, requestId: RequestId, reason: string): Promise<void>
  /** Resolves when all are done; what still runs after so many milliseconds is answered with an error. */
  finish(longestMs: number): Promise<void>
}

export function createRunningCalls(node: Node): RunningCalls {
  const connections = new Map<string, Map<RequestId, Exchange>>()
  let onIdle: () => void = () => undefined

  node.onControl((control) => {
    if (control.kind === 'session_ended') return
    const calls = connections.get(control.connectionId)
    if (control.kind === 'cancel') calls?.get(control.requestId)?.cancel(control.reason)
    if (control.kind === 'connection_ended') {
      for (const exchange of [...(calls?.values() ?? [])]) exchange.cancel('the connection ended')
    }
  })

  function remove(connectionId: string, requestId: RequestId, exchange: Exchange): void {
    const calls = connections.get(connectionId)
    if (calls?.get(requestId) === exchange) calls.delete(requestId)
    if (calls?.size === 0) connections.delete(connectionId)
    if (connections.size === 0) onIdle()
  }

  return {
    add(connectionId, requestId, exchange) {
      const calls = connections.get(connectionId) ?? new Map<RequestId, Exchange>()
      connections.set(connectionId, calls.set(requestId, exchange))
      exchange.onEnd(() => remove(connectionId, requestId, exchange))
    },
    async cancel(connectionId, requestId, reason) {
      const here = connections.get(connectionId)?.get(requestId)
      if (here !== undefined) here.cancel(reason)
      else await node.control({ kind: 'cancel', connectionId, requestId, reason })
    },
    async finish(longestMs) {
      if (connections.size === 0) return
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve
      })
      const failRest = () => {
        for (const calls of [...connections.values()]) {
          for (const exchange of [...calls.values()]) exchange.fail('The server is stopping.')
        }
      }
      const timer = setTimeout(failRest, longestMs)
      await idle
      clearTimeout(timer)
    },
  }
}
