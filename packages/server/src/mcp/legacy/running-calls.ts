/** The running calls of this node: any node can cancel them; graceful shutdown waits for them. */

import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server'
import { createExpiringMap } from '../../store/expiring-map.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Cancellation } from '../bounds.ts'
import type { Limits } from '../limits.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { isOverSse, type McpSessionRecord } from './mcp-session-record.ts'

/** A running call that others can end. */
export interface RunningCall {
  /** Ends the call without a response (2025-11-25, basic/utilities/cancellation). */
  cancel(reason: string): void
  /** Stops the tool and answers with an error. */
  fail(message: string): void
}

/** A call with two slots, a running call and a pending response, which `start` acquires. */
export interface CountedCall extends RunningCall {
  /** The session that is counted, and the client address counted in addition; see `Limits`. */
  readonly counted: string
  readonly countedAddress: string
  readonly mcpSessionId: string
  readonly requestId: RequestId
}

interface RunningCallDeps {
  readonly node: ClusterNode
  readonly metrics: Pick<Metrics, 'clientMessageDropped'>
  readonly limits: Pick<Limits, 'calls' | 'answers'>
}

/** A linked list of the calls of an MCP session: short, mostly of length one. */
interface Entry {
  readonly requestId: RequestId
  /** Undefined once removed: old tables of the map hold its entries until a full collection. */
  call: RunningCall | undefined
  next: Entry | undefined
}

/**
 * Rate limit of the cancellations that one MCP session broadcasts to other nodes: a node does not
 * know which Streamable HTTP requests run on the others.
 */
const MOST_FORWARDED = 100
const FORWARDED_SECONDS = 10

/** The calls of all MCP sessions. */
class McpSessionCalls {
  readonly #first = new Map<string, Entry>()

  get size(): number {
    return this.#first.size
  }

  /** Prepends the call: of calls with equal ids, `find` returns the latest. */
  add(mcpSessionId: string, requestId: RequestId, call: RunningCall): void {
    this.#first.set(mcpSessionId, { requestId, call, next: this.#first.get(mcpSessionId) })
  }

  remove(mcpSessionId: string, call: RunningCall): void {
    let before: Entry | undefined
    let entry = this.#first.get(mcpSessionId)
    while (entry !== undefined && entry.call !== call) {
      before = entry
      entry = entry.next
    }
    if (entry === undefined) return
    if (before !== undefined) before.next = entry.next
    else if (entry.next !== undefined) this.#first.set(mcpSessionId, entry.next)
    else this.#first.delete(mcpSessionId)
    entry.call = undefined
    entry.next = undefined
  }

  find(mcpSessionId: string, requestId: RequestId): RunningCall | undefined {
    let entry = this.#first.get(mcpSessionId)
    while (entry !== undefined && entry.requestId !== requestId) entry = entry.next
    return entry?.call
  }

  of(mcpSessionId: string): RunningCall[] {
    const calls: RunningCall[] = []
    let entry = this.#first.get(mcpSessionId)
    for (; entry !== undefined; entry = entry.next) {
      if (entry.call !== undefined) calls.push(entry.call)
    }
    return calls
  }

  all(): RunningCall[] {
    return [...this.#first.keys()].flatMap((mcpSessionId) => this.of(mcpSessionId))
  }
}

export class RunningCalls {
  readonly #deps: RunningCallDeps
  readonly #running = new McpSessionCalls()
  readonly #mayForward = createForwardingBudget()
  #onIdle: () => void = () => undefined

  constructor(deps: RunningCallDeps) {
    this.#deps = deps
    deps.node.onControl((control) => {
      if (!('connectionId' in control)) return
      const { connectionId: id } = control
      if (control.kind === 'cancel') {
        this.#running.find(id, control.requestId)?.cancel(control.reason)
      }
      if (control.kind === 'connection_ended') {
        for (const call of this.#running.of(id)) call.cancel('the connection ended')
      }
    })
  }

  /**
   * Acquires the slots of a call and adds it.
   * @throws AppError `too_many_requests`
   */
  start(call: CountedCall): void {
    const { counted, countedAddress } = call
    const { calls, answers } = this.#deps.limits
    calls.acquire(counted, countedAddress)
    try {
      answers.acquire(counted, countedAddress)
    } catch (error) {
      calls.release(counted, countedAddress)
      throw error
    }
    this.#running.add(call.mcpSessionId, call.requestId, call)
  }

  /** Removes a call and releases its slot of a running call, but not that of a pending response. */
  end(call: CountedCall): void {
    this.remove(call.mcpSessionId, call)
    this.#deps.limits.calls.release(call.counted, call.countedAddress)
  }

  add(mcpSessionId: string, requestId: RequestId, call: RunningCall): void {
    this.#running.add(mcpSessionId, requestId, call)
  }

  /** Removes a call that has ended. */
  remove(mcpSessionId: string, call: RunningCall): void {
    this.#running.remove(mcpSessionId, call)
    if (this.#running.size === 0) this.#onIdle()
  }

  /** Cancels a call on any node. Drops cancellations beyond the rate limit of the MCP session. */
  async cancel(mcpSession: McpSessionRecord, { requestId, reason }: Cancellation): Promise<void> {
    const { id: mcpSessionId } = mcpSession
    const { node, metrics } = this.#deps
    const here = this.#running.find(mcpSessionId, requestId)
    if (here !== undefined) here.cancel(reason)
    else if (!mayRunElsewhere(mcpSession, requestId)) metrics.clientMessageDropped('not_running')
    else if (!this.#mayForward(mcpSessionId)) metrics.clientMessageDropped('frequent_cancel')
    else await node.broadcast({ kind: 'cancel', connectionId: mcpSessionId, requestId, reason })
  }

  /** Resolves when all calls have ended; after `longestMs` the remaining calls get an error. */
  async finish(longestMs: number): Promise<void> {
    if (this.#running.size === 0) return
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
    const failRest = () => {
      for (const call of this.#running.all()) call.fail('The server is stopping.')
    }
    const timer = setTimeout(failRest, longestMs)
    await idle
    clearTimeout(timer)
  }
}

/** The record of an MCP session lists its running requests over HTTP+SSE, but no others. */
function mayRunElsewhere({ id, calls }: McpSessionRecord, requestId: RequestId): boolean {
  return !isOverSse(id) || Object.values(calls).includes(requestId)
}

function createForwardingBudget(): (mcpSessionId: string) => boolean {
  const forwarded = createExpiringMap<number>(() => performance.now())
  return (mcpSessionId) => {
    const count = forwarded.get(mcpSessionId) ?? 0
    if (count >= MOST_FORWARDED) return false
    forwarded.set(mcpSessionId, count + 1, count === 0 ? FORWARDED_SECONDS : undefined)
    return true
  }
}

/** The error response of a call whose node died. */
export function lostAnswer(requestId: RequestId): JSONRPCMessage {
  const message = 'The server that ran this call was lost. Try again.'
  return { jsonrpc: '2.0', id: requestId, error: { code: -32603, message } }
}
