/** The calls this node runs, so that they can be cancelled from any node and waited for at the end. */

import type { RequestId } from '@modelcontextprotocol/server'
import { createExpiringMap } from '../../store/expiring-map.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Limits } from '../limits.ts'
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

/** A call that takes its places itself: that of a call, and that of a request that waits. */
export interface CountedCall extends RunningCall {
  /** Who is counted, and the address that is counted besides; see `Limits`. */
  readonly counted: string
  readonly countedAddress: string
  readonly connectionId: string
  readonly requestId: RequestId
}

export interface RunningCalls {
  /**
   * Takes the places of a call, and adds it.
   * @throws AppError `too_many_requests`
   */
  start(call: CountedCall): void
  /** Takes it out. It gives back its place of a call, and keeps that of what waits for its answer. */
  end(call: CountedCall): void
  add(connectionId: string, requestId: RequestId, call: RunningCall): void
  /** Takes a call out that is over. */
  remove(connectionId: string, call: RunningCall): void
  /** Cancels a call wherever it runs. Dropped where the connection cancels more than it can run. */
  cancel(connection: ConnectionRecord, cancellation: Cancellation): Promise<void>
  /** Resolves when all are done; what still runs after so many milliseconds is answered with an error. */
  finish(longestMs: number): Promise<void>
}

export interface RunningCallDeps {
  readonly node: Node
  readonly metrics: Pick<Metrics, 'clientMessageDropped'>
  readonly limits: Pick<Limits, 'calls' | 'answers'>
}

/** The calls of a connection, one after the other: few, and most have one. */
interface Entry {
  readonly requestId: RequestId
  readonly call: RunningCall
  next: Entry | undefined
}

/**
 * Cancellations of one connection that are sent on to other nodes, in so many seconds: which requests
 * of the Streamable HTTP transport run elsewhere is known there alone.
 */
const MOST_FORWARDED = 100
const FORWARDED_SECONDS = 10

/** The calls of all connections. */
class ConnectionCalls {
  readonly #first = new Map<string, Entry>()

  get size(): number {
    return this.#first.size
  }

  /** The latest with an id comes first. */
  add(connectionId: string, requestId: RequestId, call: RunningCall): void {
    this.#first.set(connectionId, { requestId, call, next: this.#first.get(connectionId) })
  }

  remove(connectionId: string, call: RunningCall): void {
    let before: Entry | undefined
    let entry = this.#first.get(connectionId)
    while (entry !== undefined && entry.call !== call) {
      before = entry
      entry = entry.next
    }
    if (entry === undefined) return
    if (before !== undefined) before.next = entry.next
    else if (entry.next !== undefined) this.#first.set(connectionId, entry.next)
    else this.#first.delete(connectionId)
  }

  find(connectionId: string, requestId: RequestId): RunningCall | undefined {
    let entry = this.#first.get(connectionId)
    while (entry !== undefined && entry.requestId !== requestId) entry = entry.next
    return entry?.call
  }

  of(connectionId: string): RunningCall[] {
    const calls: RunningCall[] = []
    let entry = this.#first.get(connectionId)
    for (; entry !== undefined; entry = entry.next) calls.push(entry.call)
    return calls
  }

  all(): RunningCall[] {
    return [...this.#first.keys()].flatMap((connectionId) => this.of(connectionId))
  }
}

export function createRunningCalls({ node, metrics, limits }: RunningCallDeps): RunningCalls {
  const running = new ConnectionCalls()
  const mayForward = createForwardingBudget()
  let onIdle: () => void = () => undefined

  node.onControl((control) => {
    if (control.kind === 'session_ended') return
    const { connectionId: id } = control
    if (control.kind === 'cancel') running.find(id, control.requestId)?.cancel(control.reason)
    if (control.kind === 'connection_ended') {
      for (const call of running.of(id)) call.cancel('the connection ended')
    }
  })

  function remove(connectionId: string, call: RunningCall): void {
    running.remove(connectionId, call)
    if (running.size === 0) onIdle()
  }

  return {
    start(call) {
      const { counted, countedAddress } = call
      limits.calls.take(counted, countedAddress)
      try {
        limits.answers.take(counted, countedAddress)
      } catch (error) {
        limits.calls.give(counted, countedAddress)
        throw error
      }
      running.add(call.connectionId, call.requestId, call)
    },
    end(call) {
      remove(call.connectionId, call)
      limits.calls.give(call.counted, call.countedAddress)
    },
    add: (...call) => running.add(...call),
    remove,
    async cancel(connection, { requestId, reason }) {
      const { id: connectionId } = connection
      const here = running.find(connectionId, requestId)
      if (here !== undefined) here.cancel(reason)
      else if (!mayRunElsewhere(connection, requestId)) metrics.clientMessageDropped('not_running')
      else if (!mayForward(connectionId)) metrics.clientMessageDropped('frequent_cancel')
      else await node.control({ kind: 'cancel', connectionId, requestId, reason })
    },
    async finish(longestMs) {
      if (running.size === 0) return
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve
      })
      const failRest = () => {
        for (const call of running.all()) call.fail('The server is stopping.')
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
