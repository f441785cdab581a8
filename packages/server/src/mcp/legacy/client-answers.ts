/** Requests we sent to clients, waiting for an answer that comes in anywhere. */

import {
  isJSONRPCResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCResponse,
} from '@modelcontextprotocol/server'
import { sha256 } from '../../crypto/hash.ts'
import { AppError } from '../../errors.ts'
import type { Store } from '../../store/port.ts'
import { createRecent } from '../../store/recent.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { notAMessage, type UnverifiedAnswer } from '../client-answer.ts'
import { type ClusterNode, LARGEST_ANSWER_BYTES } from '../nodes/cluster-node.ts'
import { progressOf } from './notification-fields.ts'
import type { WireIds } from './wire-ids.ts'

export type Deliver = (message: JSONRPCMessage) => void

export interface ClientAnswers {
  /**
   * An id for a request of ours: it says which node waits for the answer, and no two server
   * instances share one, although each numbers its requests from 0.
   */
  expect(connectionId: string, deliver: Deliver): string
  forget(wireId: string): void
  /**
   * Hands a client's answer to the node that waits for it, once. Answers to ids that this server did
   * not issue for the connection, or no longer waits for, are dropped before they are validated and
   * anything is written.
   * @throws AppError `invalid_request`; `payload_too_large`, and what waits is answered with an error
   */
  answer(connectionId: string, answer: UnverifiedAnswer): Promise<void>
  /** The same for progress, which may be dropped where it comes too fast. */
  progress(connectionId: string, notification: JSONRPCNotification): Promise<void>
}

export interface ClientAnswerDeps {
  readonly node: ClusterNode
  readonly store: Pick<Store, 'create' | 'delete'>
  readonly wireIds: WireIds
  readonly metrics: Pick<Metrics, 'clientMessageDropped'>
}

/** As long as a question of the SDK waits. */
const ANSWERED_SECONDS = 600
/** Progress of one request reaches another node once in so many milliseconds. */
const PROGRESS_EVERY_MS = 1000
const MOST_PROGRESS_REMEMBERED = 10_000

export function createClientAnswers(deps: ClientAnswerDeps): ClientAnswers {
  const { node, wireIds, metrics } = deps
  const waiting = new Map<string, { readonly connectionId: string; readonly deliver: Deliver }>()
  const mayForward = createForwardingRate()
  let count = 0

  function deliverHere(connectionId: string, wireId: string, message: JSONRPCMessage): void {
    const found = waiting.get(wireId)
    if (found?.connectionId === connectionId) found.deliver(message)
  }

  node.onMessage((message) => {
    if (message.kind === 'answer')
      deliverHere(message.connectionId, message.wireId, message.message)
  })

  /** The node that waits; undefined for an id that was made up. */
  function issuerOf(connectionId: string, wireId: unknown): string | undefined {
    const issuer = wireIds.issuerOf(connectionId, wireId)
    if (issuer === undefined) metrics.clientMessageDropped('forged_id')
    return issuer
  }

  async function forwardAnswer(to: string, address: Address, message: JSONRPCResponse) {
    if (!(await node.isAlive(to))) return metrics.clientMessageDropped('node_gone')
    const isFirst = await forwardOnce(deps, to, address, message)
    if (!isFirst) metrics.clientMessageDropped('repeated_answer')
  }

  return {
    expect(connectionId, deliver) {
      count += 1
      const wireId = wireIds.issue(connectionId, node.id, count)
      waiting.set(wireId, { connectionId, deliver })
      return wireId
    },
    forget: (wireId) => waiting.delete(wireId),
    async answer(connectionId, answer) {
      const issuer = issuerOf(connectionId, answer.id)
      if (issuer === undefined) return
      const wireId = String(answer.id)
      // Too late: there is nothing the client could do about it.
      if (issuer === node.id && !waiting.has(wireId)) return
      if (!isJSONRPCResponse(answer)) throw notAMessage()
      const isTooLarge = Buffer.byteLength(JSON.stringify(answer)) > LARGEST_ANSWER_BYTES
      const message = isTooLarge ? tooLarge(wireId) : answer
      if (issuer === node.id) deliverHere(connectionId, wireId, message)
      else await forwardAnswer(issuer, { connectionId, wireId }, message)
      if (isTooLarge) throw new AppError('payload_too_large', TOO_LARGE)
    },
    async progress(connectionId, { params }) {
      const wireId = params?.progressToken
      const issuer = issuerOf(connectionId, wireId)
      if (issuer === undefined || typeof wireId !== 'string') return
      const message = progressOf(wireId, params)
      if (message === undefined) return
      if (issuer === node.id) return deliverHere(connectionId, wireId, message)
      if (!mayForward(wireId)) return metrics.clientMessageDropped('frequent_progress')
      if (!(await node.isAlive(issuer))) return metrics.clientMessageDropped('node_gone')
      await node.send(issuer, { kind: 'answer', connectionId, wireId, message })
    },
  }
}

interface Address {
  readonly connectionId: string
  readonly wireId: string
}

/** False where the answer was forwarded before, by whichever node. */
async function forwardOnce(
  { node, store }: ClientAnswerDeps,
  to: string,
  { connectionId, wireId }: Address,
  message: JSONRPCResponse,
): Promise<boolean> {
  const key = `{${connectionId}}:answered:${sha256(wireId)}`
  if (!(await store.create(key, {}, ANSWERED_SECONDS))) return false
  try {
    await node.send(to, { kind: 'answer', connectionId, wireId, message })
    return true
  } catch (error) {
    // The client is told 503, and may try again.
    await store.delete(key).catch(() => undefined)
    throw error
  }
}

const TOO_LARGE = `An answer may have ${LARGEST_ANSWER_BYTES} bytes.`

/** What the request is told in place of an answer that no node takes: it need not wait for another. */
function tooLarge(id: string): JSONRPCResponse {
  return { jsonrpc: '2.0', id, error: { code: -32600, message: TOO_LARGE } }
}

function createForwardingRate(): (wireId: string) => boolean {
  const forwardedAt = createRecent<number>(MOST_PROGRESS_REMEMBERED)
  return (wireId) => {
    const now = performance.now()
    const before = forwardedAt.get(wireId) ?? Number.NEGATIVE_INFINITY
    if (now - before < PROGRESS_EVERY_MS) return false
    forwardedAt.set(wireId, now)
    return true
  }
}
