/** The calls this node runs, so that they can be cancelled from any node and waited for at the end. */

import type { RequestId } from '@modelcontextprotocol/server'
import { createExpiringMap } from '../../store/expiring-map.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Node } from '../nodes/node.ts'
import { type ConnectionRecord, isOverSse } from './connection.ts'
import type { Cancellation } from './notification-fields.ts'

/** A call as far as others may end it. */
export interface RunningCall {
  /** Its client does not want the answer any more (2025-11-25, basic/utilities/cancellation). */
  cancel(reason: string): void
  /** Answers with an error in place of the tool, and stops it. */
  fail(message: string): void
}

export interface RunningCalls {
  add(connectionId: string, requestId: RequestId, call: RunningCall): void
  /** Takes a call out that is over. Nothing happens where another one has its place. */
  remove(connectionId: string, requestId: RequestId, call: RunningCall): void
  /** Cancels a call wherever it runs. Dropped where the connection cancels more than it can run. */
  cancel(connection: ConnectionRecord, cancellation: Cancellation): Promise<void>
  /** Resolves when all are done; what still runs after so many milliseconds is answered with an error. */
  finish(longestMs: number): Promise<void>
}

export interface RunningCallDeps {
  readonly node: Node
  readonly metrics: Pick<Metrics, 'clientMessageDropped'>
}

/**
 * Cancellations of one connection that are sent on to other nodes, in so many seconds: which requests
 * of the Streamable HTTP transport run elsewhere is known there alone.
 */
const MOST_FORWARDED = 100
const FORWARDED_SECONDS = 10

export function createRunningCalls({ node, metrics }: RunningCallDeps): RunningCalls {
  const connections = new Map<string, Map<RequestId, RunningCall>>()
  const mayForward = createForwardingBudget()
  let onIdle: () => void = () => undefined

  node.onControl((control) => {
    if (control.kind === 'session_ended') return
    const calls = connections.get(control.connectionId)
    if (control.kind === 'cancel') calls?.get(control.requestId)?.cancel(control.reason)
    if (control.kind === 'connection_ended') {
      for (const call of [...(calls?.values() ?? [])]) call.cancel('the connection ended')
    }
  })

  return {
    add(connectionId, requestId, call) {
      const calls = connections.get(connectionId) ?? new Map<RequestId, RunningCall>()
      connections.set(connectionId, calls.set(requestId, call))
    },
    remove(connectionId, requestId, call) {
      const calls = connections.get(connectionId)
      if (calls?.get(requestId) === call) calls.delete(requestId)
      if (calls?.size === 0) connections.delete(connectionId)
      if (connections.size === 0) onIdle()
    },
    async cancel(connection, { requestId, reason }) {
      const { id: connectionId } = connection
      const here = connections.get(connectionId)?.get(requestId)
      if (here !== undefined) here.cancel(reason)
      else if (!mayRunElsewhere(connection, requestId)) metrics.clientMessageDropped('not_running')
      else if (!mayForward(connectionId)) metrics.clientMessageDropped('frequent_cancel')
      else await node.control({ kind: 'cancel', connectionId, requestId, reason })
    },
    async finish(longestMs) {
      if (connections.size === 0) return
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve
      })
      const failRest = () => {
        for (const calls of [...connections.values()]) {
          for (const call of [...calls.values()]) call.fail('The server is stopping.')
        }
      }
      const timer = setTimeout(failRest, longestMs)
      await idle
      clearTimeout(timer)
    },
  }
}

/** Requests over HTTP+SSE are written to the connection before they run; others are not. */
function mayRunElsewhere({ id, calls }: ConnectionRecord, requestId: RequestId): boolean {
  return !isOverSse(id) || Object.values(calls).includes(requestId)
}

function createForwardingBudget(): (connectionId: string) => boolean {
  const forwarded = createExpiringMap<number>(() => performance.now())
  return (connectionId) => {
    const count = forwarded.get(connectionId) ?? 0
    if (count >= MOST_FORWARDED) return false
    forwarded.set(connectionId, count + 1, count === 0 ? FORWARDED_SECONDS : undefined)
    return true
  }
}
