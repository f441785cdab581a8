/** Translates a `tools/call` of either era into a call of the engine. */

import type {
  CallToolRequest,
  Server,
  ServerContext,
  ServerEvent,
} from '@modelcontextprotocol/server'
import type { CallAudit, CallKind, RequestStateContent, ToolCall } from '../engine/call.ts'
import type { Announce } from '../engine/tool-context.ts'
import type { Rate, RateLimits } from '../store/rate-limits.ts'
import { type CallingClient, callingClient } from './client-facts.ts'
import type { EventBus } from './nodes/event-bus.ts'
import type { RequestContext } from './request-context.ts'
import type { RequestStates, StateBinding } from './request-state.ts'

interface ToolCallDeps {
  readonly states: RequestStates
  readonly rateLimits: RateLimits
  readonly bus: EventBus
}

/** The fields of a request that a call needs, from the fast path or the SDK. */
export interface ToolRequest
  extends Pick<ToolCall, 'name' | 'arguments' | 'signal' | 'responses' | 'progress' | 'meta'> {
  /** `tool` if omitted. */
  readonly kind?: CallKind
  readonly client: CallingClient &
    Pick<ToolCall['client'], 'log' | 'closeStream'> & {
      readonly elicitationCompleted?: ToolCall['client']['elicitationCompleted'] | undefined
    }
  /** The `requestState` of an earlier round. */
  readonly sealed: string | undefined
}

/** The request of a tool call that the SDK passes to a handler. */
export function toolRequest(
  { params: { name, arguments: input = {} } }: CallToolRequest,
  ctx: ServerContext,
  server: Server,
): ToolRequest {
  return requestOf({ name, arguments: input }, ctx, server)
}

/** The request for a tool, resource or prompt that runs for its caller. */
export function requestOf(
  target: Pick<ToolRequest, 'kind' | 'name' | 'arguments'>,
  ctx: ServerContext,
  server: Server,
): ToolRequest {
  const { mcpReq } = ctx
  const client = callingClient(ctx, server)
  return {
    ...target,
    client: {
      ...client,
      log: (level, data) => mcpReq.log(level, data),
      closeStream: () => ctx.http?.closeSSE?.(),
      ...(client.era === '2025' && {
        elicitationCompleted: (id: string) => notifyElicitationComplete(ctx, id),
      }),
    },
    responses: mcpReq.inputResponses ?? {},
    sealed: mcpReq.requestState<string>(),
    meta: mcpReq._meta,
    signal: mcpReq.signal,
    progress: (done, total, message) => notifyProgress(ctx, done, total, message),
  }
}

/** A call, from its request and the caller's context. Creates its parts lazily. */
export class RequestedCall implements ToolCall {
  readonly #deps: ToolCallDeps
  readonly #request: ToolRequest
  readonly #requestContext: RequestContext
  readonly requestState: RequestStateContent | undefined
  #announcing: Announcing | undefined

  /** `carried` is the opened `requestState` of the earlier round. */
  constructor(
    deps: ToolCallDeps,
    request: ToolRequest,
    requestContext: RequestContext,
    requestState: RequestStateContent | undefined,
  ) {
    this.#deps = deps
    this.#request = request
    this.#requestContext = requestContext
    this.requestState = requestState
  }

  get name() {
    return this.#request.name
  }

  get arguments() {
    return this.#request.arguments
  }

  get caller() {
    return this.#requestContext.identity
  }

  get scopes() {
    return this.#requestContext.scopes
  }

  get clientId() {
    return this.#requestContext.clientId
  }

  get meta() {
    return this.#request.meta
  }

  get responses() {
    return this.#request.responses
  }

  get signal() {
    return this.#request.signal
  }

  get log() {
    return this.#requestContext.log
  }

  get client(): ToolCall['client'] {
    return this.#request.client
  }

  get announce() {
    this.#announcing ??= announceOn(this.#deps.bus)
    return this.#announcing.announce
  }

  get publishing() {
    return this.#announcing && Promise.all(this.#announcing.publishing)
  }

  async count(rate: Rate) {
    const { kind, name } = this.#request
    const what = kind === undefined ? name : `${kind} ${name}`
    const who = `${what} ${this.#requestContext.caller}`
    const [standing] = await this.#deps.rateLimits.count([{ limit: 'tool', who, rate }])
    return standing
  }

  openSession(handle: string | undefined) {
    return this.#requestContext.openSession(handle, this.#request.client)
  }

  upstreamFor(...given: Parameters<ToolCall['upstreamFor']>) {
    return this.#requestContext.upstreamFor(...given)
  }

  sealRequestState(state: RequestStateContent) {
    const round = (this.requestState?.round ?? 1) + 1
    return this.#deps.states.seal(
      { ...state, round },
      bindingOf(this.#request, this.#requestContext),
    )
  }

  progress(done: number, total?: number, message?: string) {
    return this.#request.progress(done, total, message)
  }

  audit(entry: CallAudit): void {
    this.#requestContext.audit(entry)
  }
}

type Announcing = ReturnType<typeof announceOn>

function announceOn(bus: EventBus) {
  const publishing: Promise<void>[] = []
  const announce = announceBy((event) => void publishing.push(bus.publish(event)))
  return { announce, publishing }
}

/** Converts announcements of tools into events of the SDK. */
export function announceBy(publish: (event: ServerEvent) => void): Announce {
  return {
    toolsChanged: () => publish({ kind: 'tools_list_changed' }),
    promptsChanged: () => publish({ kind: 'prompts_list_changed' }),
    resourcesChanged: () => publish({ kind: 'resources_list_changed' }),
    resourceUpdated: (uri) => publish({ kind: 'resource_updated', uri }),
  }
}

/** The caller and request that the `requestState` of a call is bound to. */
export function bindingOf(
  { kind = 'tool', name, arguments: input }: ToolRequest,
  { principal }: RequestContext,
): StateBinding {
  return { principal, for: `${kind} ${name}`, arguments: input }
}

async function notifyElicitationComplete({ mcpReq }: ServerContext, id: string): Promise<void> {
  const method = 'notifications/elicitation/complete'
  await mcpReq.notify({ method, params: { elicitationId: id } })
}

async function notifyProgress(
  { mcpReq }: ServerContext,
  progress: number,
  total: number | undefined,
  message: string | undefined,
): Promise<void> {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return
  const params = {
    progressToken,
    progress,
    ...(total !== undefined && { total }),
    ...(message !== undefined && { message }),
  }
  await mcpReq.notify({ method: 'notifications/progress', params })
}
