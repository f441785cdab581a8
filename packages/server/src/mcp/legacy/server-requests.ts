/**
 * Server-to-client requests of the 2025 era. The response may arrive at any node: the ids on the
 * wire name the node that waits and cannot be forged (HMAC).
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCResponse,
  type RequestId,
} from '@modelcontextprotocol/server'
import { sha256 } from '../../crypto/hash.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import { AppError } from '../../errors.ts'
import { createLruCache } from '../../store/lru-cache.ts'
import type { Store } from '../../store/port.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { progressOf } from '../bounds.ts'
import { notAMessage, type UnverifiedAnswer } from '../client-answer.ts'
import { type ClusterNode, LARGEST_ANSWER_BYTES } from '../nodes/cluster-node.ts'

type Deliver = (message: JSONRPCMessage) => void
type Waiting = { readonly mcpSessionId: string; readonly deliver: Deliver }

interface ServerRequestDeps {
  readonly node: ClusterNode
  readonly store: Pick<Store, 'create' | 'delete'>
  readonly wireIds: WireIds
  readonly metrics: Pick<Metrics, 'clientMessageDropped'>
}

/** TTL of the tombstone of a response: as long as the SDK waits for one. */
const ANSWERED_SECONDS = 600
/** Rate limit: at most one progress notification of a request is forwarded per interval. */
const PROGRESS_INTERVAL_MS = 1000
/** LRU bound of the progress rate limit, in requests. */
const MOST_PROGRESS_TOKENS = 10_000

export class ServerRequests {
  readonly #deps: ServerRequestDeps
  readonly #waiting = new Map<string, Waiting>()
  readonly #mayForwardProgress = createProgressRateLimit()
  #count = 0

  constructor(deps: ServerRequestDeps) {
    this.#deps = deps
    deps.node.onMessage((message) => {
      if (message.kind === 'answer')
        this.#deliverHere(message.connectionId, message.wireId, message.message)
    })
  }

  /**
   * Registers a request and returns its wire id, which is unique across SDK servers: each of them
   * numbers its requests from 0.
   */
  expect(mcpSessionId: string, deliver: Deliver): string {
    this.#count += 1
    const wireId = this.#deps.wireIds.issue(mcpSessionId, this.#deps.node.id, this.#count)
    this.#waiting.set(wireId, { mcpSessionId, deliver })
    return wireId
  }

  /** Stops waiting for the response. */
  forget(wireId: string): boolean {
    return this.#waiting.delete(wireId)
  }

  /**
   * Delivers a client's response to the node that waits for it, at most once. Drops responses whose
   * id this server did not issue for the MCP session or no longer waits for, before it validates
   * them or writes anything.
   * @throws AppError `invalid_request`; `payload_too_large`, and the request fails with an error
   */
  async receiveResponse(mcpSessionId: string, answer: UnverifiedAnswer): Promise<void> {
    const issuer = this.#issuerOf(mcpSessionId, answer.id)
    if (issuer === undefined) return
    const isHere = issuer === this.#deps.node.id
    const wireId = String(answer.id)
    // The request has timed out; the client could do nothing about an error.
    if (isHere && !this.#waiting.has(wireId)) return
    if (!isJSONRPCResponse(answer)) throw notAMessage()
    const isTooLarge = Buffer.byteLength(JSON.stringify(answer)) > LARGEST_ANSWER_BYTES
    const message = isTooLarge ? tooLarge(wireId) : answer
    if (isHere) this.#deliverHere(mcpSessionId, wireId, message)
    else await forwardResponse(this.#deps, issuer, { mcpSessionId, wireId }, message)
    if (isTooLarge) throw new AppError('payload_too_large', TOO_LARGE)
  }

  /** Delivers a progress notification in the same way; a rate limit may drop it. */
  async receiveProgress(mcpSessionId: string, { params }: JSONRPCNotification): Promise<void> {
    const { node, metrics } = this.#deps
    const wireId = params?.progressToken
    const issuer = this.#issuerOf(mcpSessionId, wireId)
    if (issuer === undefined || typeof wireId !== 'string') return
    const message = progressOf(wireId, params)
    if (message === undefined) return
    if (issuer === node.id) return this.#deliverHere(mcpSessionId, wireId, message)
    if (!this.#mayForwardProgress(wireId)) return metrics.clientMessageDropped('frequent_progress')
    if (!(await node.isAlive(issuer))) return metrics.clientMessageDropped('node_gone')
    await node.send(issuer, { kind: 'answer', connectionId: mcpSessionId, wireId, message })
  }

  #deliverHere(mcpSessionId: string, wireId: string, message: JSONRPCMessage): void {
    const found = this.#waiting.get(wireId)
    if (found?.mcpSessionId === mcpSessionId) found.deliver(message)
  }

  /** The node that waits for the response; undefined for a forged id. */
  #issuerOf(mcpSessionId: string, wireId: unknown): string | undefined {
    const issuer = this.#deps.wireIds.issuerOf(mcpSessionId, wireId)
    if (issuer === undefined) this.#deps.metrics.clientMessageDropped('forged_id')
    return issuer
  }
}

/** Forwards a response to the node that waits for it, once across all nodes (tombstone). */
async function forwardResponse(
  { node, store, metrics }: ServerRequestDeps,
  to: string,
  { mcpSessionId, wireId }: { readonly mcpSessionId: string; readonly wireId: string },
  message: JSONRPCResponse,
): Promise<void> {
  if (!(await node.isAlive(to))) return metrics.clientMessageDropped('node_gone')
  const tombstone = `{${mcpSessionId}}:answered:${sha256(wireId)}`
  if (!(await store.create(tombstone, {}, ANSWERED_SECONDS))) {
    return metrics.clientMessageDropped('repeated_answer')
  }
  try {
    await node.send(to, { kind: 'answer', connectionId: mcpSessionId, wireId, message })
  } catch (error) {
    // Removes the tombstone: the client gets 503 and may retry.
    await store.delete(tombstone).catch(() => undefined)
    throw error
  }
}

const TOO_LARGE = `The response exceeds the limit of ${LARGEST_ANSWER_BYTES} bytes.`

/** The error that replaces a response over the limit, so that the request does not keep waiting. */
function tooLarge(id: string): JSONRPCResponse {
  return { jsonrpc: '2.0', id, error: { code: -32600, message: TOO_LARGE } }
}

function createProgressRateLimit(): (wireId: string) => boolean {
  const forwardedAt = createLruCache<number>(MOST_PROGRESS_TOKENS)
  return (wireId) => {
    const now = performance.now()
    const before = forwardedAt.get(wireId) ?? Number.NEGATIVE_INFINITY
    if (now - before < PROGRESS_INTERVAL_MS) return false
    forwardedAt.set(wireId, now)
    return true
  }
}

export type OutgoingRequests = ReturnType<typeof createOutgoingRequests>

/**
 * The requests that an SDK server sends while it serves one request of the client. `deliver` passes
 * the client's responses and progress to the server, with the server's own ids.
 */
export function createOutgoingRequests(
  requests: Pick<ServerRequests, 'expect' | 'forget'>,
  mcpSessionId: string,
  deliver: Deliver,
) {
  const wireIds = new Map<RequestId, string>()

  function fromWire(id: RequestId, message: JSONRPCMessage): JSONRPCMessage {
    if (isJSONRPCNotification(message)) {
      return { ...message, params: { ...message.params, progressToken: id } }
    }
    forget(id)
    return { ...message, id } as JSONRPCMessage
  }

  function forget(id: RequestId): void {
    const wireId = wireIds.get(id)
    if (wireId !== undefined) requests.forget(wireId)
    wireIds.delete(id)
  }

  return {
    /** Returns the message as sent: replaces the server's request ids with wire ids. */
    toWire(message: JSONRPCMessage): JSONRPCMessage {
      if (isJSONRPCRequest(message)) {
        const { id, params } = message
        const wireId = requests.expect(mcpSessionId, (answer) => deliver(fromWire(id, answer)))
        wireIds.set(id, wireId)
        if (params?._meta?.progressToken === undefined) return { ...message, id: wireId }
        const _meta = { ...params._meta, progressToken: wireId }
        return { ...message, id: wireId, params: { ...params, _meta } }
      }
      if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
        const requestId = message.params?.requestId as RequestId
        const wireId = wireIds.get(requestId)
        forget(requestId)
        if (wireId === undefined) return message
        return { ...message, params: { ...message.params, requestId: wireId } }
      }
      return message
    },
    /** Stops waiting for all pending responses. */
    forgetAll(): void {
      for (const id of [...wireIds.keys()]) forget(id)
    },
  }
}

const PURPOSE = 'wire-id'
/** 96 bits suffice: each guess costs a request, and a hit answers a single request. */
const MAC_BYTES = 12
const WIRE_ID = /^(([0-9a-f]{12})\.\d{1,15})\.([\w-]{16})$/

type WireIds = ReturnType<typeof createWireIds>

/** The first key signs, all keys verify, so that pending requests survive a key rotation. */
export function createWireIds(keyRing: KeyRing) {
  const keys = keyRing.subKeys(PURPOSE)
  const [current] = keys
  if (current === undefined) throw new RangeError('A key ring needs at least one key.')

  return {
    /** `<node>.<n>.<mac>`: at most 45 characters, valid in one MCP session only. */
    issue(mcpSessionId: string, nodeId: string, count: number): string {
      const name = `${nodeId}.${count}`
      return `${name}.${macOf(current, mcpSessionId, name).toString('base64url')}`
    },
    /** The node that issued the id for this MCP session; undefined for any other value. */
    issuerOf(mcpSessionId: string, wireId: unknown): string | undefined {
      if (typeof wireId !== 'string') return undefined
      const [, name, nodeId, mac] = WIRE_ID.exec(wireId) ?? []
      if (name === undefined || mac === undefined) return undefined
      const given = Buffer.from(mac, 'base64url')
      const isGenuine = keys.some((key) => timingSafeEqual(macOf(key, mcpSessionId, name), given))
      return isGenuine ? nodeId : undefined
    },
  }
}

/** HMAC-SHA-256 (RFC 2104), truncated. */
function macOf(key: Buffer, mcpSessionId: string, name: string): Buffer {
  const mac = createHmac('sha256', key).update(`${mcpSessionId}\n${name}`).digest()
  return mac.subarray(0, MAC_BYTES)
}
