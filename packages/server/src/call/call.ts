/** One POST of a caller: all that is known of it, from its headers to its answer, is in one object. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Resource } from '../auth/resources.ts'
import type { CallAudit, CallLog } from '../engine/call.ts'
import type { CancelListener, CancelSignal } from '../engine/cancel-signal.ts'
import { clientAddress, networkOf } from '../http/client-address.ts'
import type { HandedCall } from '../http/context.ts'
import type { CallRates, PresentedRequest } from '../http/rate-limit.ts'
import { requestIdOf } from '../http/request-log.ts'
import type { Logger } from '../logger.ts'
import type { Connection } from '../mcp/legacy/connection.ts'
import type { LegacyEndpoint } from '../mcp/legacy/endpoint.ts'
import type { LookedUp } from '../mcp/legacy/find-connection.ts'
import { connectionKey } from '../mcp/legacy/unused-connections.ts'
import type { RequestOrigins } from '../mcp/origin.ts'
import type { ToolRequest } from '../mcp/tool-call.ts'
import type { Caller } from '../session/caller.ts'
import type { Origins } from '../session/origins.ts'
import type { Document, Stored } from '../store/port.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import type { CallLines } from './lines.ts'
import type { ToolMessage } from './message.ts'

/** Where it came in. */
export interface PostRoute {
  readonly path: '/mcp' | '/http' | '/messages'
  readonly resource: Resource
  /** Whether callers without a token are refused. */
  readonly required: boolean
}

/** What all calls share. */
export interface CallParts {
  readonly lines: CallLines
  readonly refuseKnown: CallRates['refuseKnown']
  readonly lookUp: LegacyEndpoint['lookUp']
  readonly trustedProxies: number
  readonly origins: Pick<Origins, 'of'>
  /** What a caller without a token has stored counts for. */
  readonly storageOf: (incoming: IncomingMessage) => StorageBudget
}

const NO_RESPONSES = {}

export class Call implements PresentedRequest, HandedCall, CallLog, CancelSignal, ToolRequest {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly route: PostRoute
  readonly requestId: string
  readonly started: number
  readonly #parts: CallParts
  #log: Logger | undefined

  /** The bytes of a small body, which is read while the headers are checked. */
  early: Buffer | Promise<Buffer> | undefined
  body: unknown
  bodyBytes: number | undefined
  weight: number | undefined
  caller: Caller | undefined
  /** The connection that the request names, read with its token. */
  connection: LookedUp | undefined
  /** Set where Hono answers. */
  respond: HandedCall['respond']

  /** Set for a call that needs nothing of the SDK. */
  message: ToolMessage | undefined
  /** The same client that `message` has, or that of the connection. */
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
    this.early = undefined
    this.body = undefined
    this.bodyBytes = undefined
    this.weight = undefined
    this.caller = undefined
    this.connection = undefined
    this.respond = undefined
    this.message = undefined
    this.client = NO_CLIENT
    this.aborted = false
    this.reason = undefined
    this.#listeners = undefined
  }

  /** `Mcp-Session-Id`. */
  get connectionId(): string | undefined {
    const id = this.incoming.headers['mcp-session-id']
    return typeof id === 'string' ? id : undefined
  }

  address(): string {
    return networkOf(clientAddress(this.incoming, this.#parts.trustedProxies))
  }

  onSession(id: string): void {
    this.#parts.refuseKnown(this, id)
  }

  /** Where it comes from, once its caller is known. */
  origins(): RequestOrigins {
    if (this.caller === undefined) throw new Error('A call arrived without its caller')
    return this.#parts.origins.of(this.caller, this, () => this.#parts.storageOf(this.incoming))
  }

  /** The key of the connection. */
  get beside(): string | undefined {
    const id = this.connectionId
    return id?.startsWith('con_') ? connectionKey(id) : undefined
  }

  onRead(document: Stored<Document> | undefined): void {
    this.connection = (document as Connection | undefined) ?? null
  }

  readBeside(): void {
    const id = this.connectionId
    if (id === undefined) return
    this.connection = this.#parts.lookUp(id)
    // Who is refused does not come to it.
    this.connection.catch(() => undefined)
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

  /** Nobody asked for it. */
  async progress(): Promise<void> {}

  addEventListener(_type: 'abort', listener: CancelListener): void {
    this.#listeners ??= []
    this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: CancelListener): void {
    const at = this.#listeners?.indexOf(listener) ?? -1
    if (at >= 0) this.#listeners?.splice(at, 1)
  }

  /** Cancels the tool. Only the first time counts. */
  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const listeners = this.#listeners ?? []
    this.#listeners = undefined
    for (const listener of listeners) listener.handleEvent()
  }
}

/** Until it is known. */
const NO_CLIENT: ToolRequest['client'] = {
  era: '2026',
  facts: {},
  can: { fillForms: false, openUrls: false, sample: false, listRoots: false },
  log: async () => undefined,
  hangUp: () => undefined,
}
