/** The state of one MCP POST request, from its headers to its response, in one object. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Resource } from '../auth/resources.ts'
import type { CallAudit } from '../engine/call.ts'
import type { CancelListener, CancelSignal } from '../engine/time-limit.ts'
import type { BearerRequest } from '../http/bearer.ts'
import { clientAddress, networkOf } from '../http/client-address.ts'
import type { HandedCall } from '../http/http-env.ts'
import { requestIdOf } from '../http/observe-requests.ts'
import type { CallRates } from '../http/rate-limit.ts'
import type { Logger } from '../logger.ts'
import type { LegacyEndpoint } from '../mcp/legacy/legacy-endpoint.ts'
import { type McpSession, mcpSessionKey } from '../mcp/legacy/mcp-session-record.ts'
import type { PrefetchedMcpSession } from '../mcp/legacy/opened-mcp-sessions.ts'
import type { RequestContexts } from '../mcp/request-context.ts'
import type { ToolRequest } from '../mcp/tool-request.ts'
import type { Caller } from '../session/caller.ts'
import type { ContextSource, RequestContextFactory } from '../session/request-contexts.ts'
import type { Document, Stored } from '../store/port.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import type { CallLines } from './answer.ts'
import type { ToolMessage } from './message.ts'

/** The route that received the request. */
export interface PostRoute {
  readonly path: '/mcp' | '/http' | '/messages'
  readonly resource: Resource
  /** Whether the route requires an access token. */
  readonly required: boolean
}

/** Dependencies that all calls share. */
export interface CallParts {
  readonly lines: CallLines
  readonly rates: CallRates | undefined
  readonly prefetchMcpSession: LegacyEndpoint['prefetch']
  readonly trustedProxies: number
  readonly requestContexts: Pick<RequestContextFactory, 'of'>
  /** The storage budget that the writes of an unauthenticated caller are charged to. */
  readonly storageOf: (incoming: IncomingMessage) => StorageBudget
}

const NO_RESPONSES = {}

export class Call implements BearerRequest, HandedCall, ContextSource, CancelSignal, ToolRequest {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly route: PostRoute
  readonly requestId: string
  readonly started: number
  readonly #parts: CallParts
  #log: Logger | undefined
  /** The fields that all its log lines begin with, once needed. */
  lineStart: string | undefined

  /** The bytes of a small body, read while the caller is authenticated. */
  early: Buffer | Promise<Buffer> | undefined
  body: unknown
  bodyBytes: number | undefined
  weight: number | undefined
  caller: Caller | undefined
  /** The MCP session, read in the round trip of the token check; ownership not verified. */
  mcpSession: PrefetchedMcpSession | undefined
  /** Set once the call is handed over to Hono. */
  respond: HandedCall['respond']

  /** Set if the call takes the fast path, without the SDK. */
  message: ToolMessage | undefined
  /** The client of `message`, or that of the MCP session. */
  client: ToolRequest['client']

  aborted: boolean
  reason: unknown
  #listeners: CancelListener[] | undefined

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    route: PostRoute,
    parts: CallParts,
  ) {
    this.incoming = incoming
    this.outgoing = outgoing
    this.route = route
    this.requestId = requestIdOf(incoming.headers['x-request-id'])
    this.started = performance.now()
    this.#parts = parts
    this.#log = undefined
    this.lineStart = undefined
    this.early = undefined
    this.body = undefined
    this.bodyBytes = undefined
    this.weight = undefined
    this.caller = undefined
    this.mcpSession = undefined
    this.respond = undefined
    this.message = undefined
    this.client = NO_CLIENT
    this.aborted = false
    this.reason = undefined
    this.#listeners = undefined
  }

  /** `Mcp-Session-Id`. */
  get mcpSessionId(): string | undefined {
    const id = this.incoming.headers['mcp-session-id']
    return typeof id === 'string' ? id : undefined
  }

  address(): string {
    return networkOf(clientAddress(this.incoming, this.#parts.trustedProxies))
  }

  onSession(id: string): void {
    this.#parts.rates?.refuseKnown(this, id)
  }

  /** The request contexts of the call. Throws before the caller is authenticated. */
  contexts(): RequestContexts {
    if (this.caller === undefined) throw new Error('A call arrived without its caller')
    return this.#parts.requestContexts.of(this.caller, this)
  }

  storageBudget(): StorageBudget {
    return this.#parts.storageOf(this.incoming)
  }

  /** The store key of the MCP session, which is prefetched together with the token. */
  get prefetchKey(): string | undefined {
    const id = this.mcpSessionId
    return id?.startsWith('con_') ? mcpSessionKey(id) : undefined
  }

  onPrefetched(document: Stored<Document> | undefined): void {
    this.mcpSession = (document as McpSession | undefined) ?? null
  }

  prefetch(): void {
    const id = this.mcpSessionId
    if (id === undefined) return
    this.mcpSession = this.#parts.prefetchMcpSession(id)
    // Prevents an unhandled rejection if the request is refused before it awaits the prefetch.
    this.mcpSession.catch(() => undefined)
  }

  get log(): Logger {
    this.#log ??= this.#parts.lines.loggerOf(this)
    return this.#log
  }

  audit(entry: CallAudit): void {
    this.#parts.lines.audit(this, entry)
  }

  get name(): string {
    return this.message?.name ?? ''
  }

  get arguments(): Readonly<Record<string, unknown>> {
    return this.message?.arguments ?? NO_RESPONSES
  }

  get responses(): Readonly<Record<string, unknown>> {
    return NO_RESPONSES
  }

  get sealed(): undefined {
    return undefined
  }

  get meta(): undefined {
    return undefined
  }

  get signal(): CancelSignal {
    return this
  }

  /** No-op: a call with a progress token does not take the fast path. */
  async progress(): Promise<void> {}

  addEventListener(_type: 'abort', listener: CancelListener): void {
    if (this.#listeners === undefined) this.#listeners = [listener]
    else this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: CancelListener): void {
    const at = this.#listeners?.indexOf(listener) ?? -1
    if (at >= 0) this.#listeners?.splice(at, 1)
  }

  /** Cancels the tool. Idempotent. */
  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const listeners = this.#listeners ?? []
    this.#listeners = undefined
    for (const listener of listeners) listener.handleEvent()
  }
}

/** Placeholder until the client is known. */
const NO_CLIENT: ToolRequest['client'] = {
  era: '2026',
  facts: {},
  can: { fillForms: false, openUrls: false, sample: false, listRoots: false },
  log: async () => undefined,
  closeStream: () => undefined,
}

let batch: Promise<void> | undefined

/**
 * Batches continuations: all calls that arrive in one turn of the event loop resume in the same
 * `setImmediate`. Under load the CPU then runs one step for many calls in a row, from warm caches.
 * A promise, since each call must resume in its own asynchronous context: traces are kept there.
 */
export function nextBatch(): Promise<void> {
  batch ??= new Promise((resolve) => {
    setImmediate(() => {
      batch = undefined
      resolve()
    })
  })
  return batch
}
