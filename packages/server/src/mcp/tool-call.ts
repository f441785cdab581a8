/** Translates a `tools/call` of either era into the engine's terms. */

import type {
  CallToolRequest,
  Server,
  ServerContext,
  ServerEvent,
} from '@modelcontextprotocol/server'
import type { CallAudit, CallKind, CarriedState, ToolCall } from '../engine/call.ts'
import type { Announce } from '../engine/context.ts'
import type { Rate, RateLimits } from '../store/rate-limits.ts'
import { type CallingClient, callingClient } from './client-facts.ts'
import type { EventBus } from './nodes/event-bus.ts'
import type { Origin } from './origin.ts'
import type { RequestStates, StateBinding } from './request-state.ts'

export interface ToolCallDeps {
  readonly states: RequestStates
  readonly rateLimits: RateLimits
  readonly bus: EventBus
}

/** What a call needs of its request, whoever took that in. */
export interface ToolRequest
  extends Pick<ToolCall, 'name' | 'arguments' | 'signal' | 'responses' | 'progress' | 'meta'> {
  /** A tool if left out. */
  readonly kind?: CallKind
  readonly client: CallingClient &
    Pick<ToolCall['client'], 'log' | 'hangUp'> & {
      readonly elicitationCompleted?: ToolCall['client']['elicitationCompleted'] | undefined
    }
  /** What an earlier round left with the client. */
  readonly sealed: string | undefined
}

/** The call of a tool that the SDK hands to a handler. */
export function toolRequest(
  { params: { name, arguments: input = {} } }: CallToolRequest,
  ctx: ServerContext,
  server: Server,
): ToolRequest {
  return requestOf({ name, arguments: input }, ctx, server)
}

/** A request for something that runs for its caller. */
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
      hangUp: () => ctx.http?.closeSSE?.(),
      ...(client.era === '2025' && {
        elicitationCompleted: (id: string) => tellElicitationComplete(ctx, id),
      }),
    },
    responses: mcpReq.inputResponses ?? {},
    sealed: mcpReq.requestState<string>(),
    meta: mcpReq._meta,
    signal: mcpReq.signal,
    progress: (done, total, message) => notifyProgress(ctx, done, total, message),
  }
}

/** A call by its request and the caller's origin. Its parts are made when the engine asks for them. */
export class RequestedCall implements ToolCall {
  readonly #deps: ToolCallDeps
  readonly #request: ToolRequest
  readonly #origin: Origin
  readonly carried: CarriedState | undefined
  #announcing: Announcing | undefined

  /** `carried` is what this round goes on from. */
  constructor(
    deps: ToolCallDeps,
    request: ToolRequest,
    origin: Origin,
    carried: CarriedState | undefined,
  ) {
    this.#deps = deps
    this.#request = request
    this.#origin = origin
    this.carried = carried
  }

  get name() {
    return this.#request.name
  }

  get arguments() {
    return this.#request.arguments
  }

  get caller() {
    return this.#origin.identity
  }

  get scopes() {
    return this.#origin.scopes
  }

  get clientId() {
    return this.#origin.clientId
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
    return this.#origin.log
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
    const who = `${what} ${this.#origin.caller}`
    const [standing] = await this.#deps.rateLimits.count([{ limit: 'tool', who, rate }])
    return standing
  }

  openSession(handle: string | undefined) {
    return this.#origin.openSession(handle, this.#request.client)
  }

  upstreamFor(...given: Parameters<ToolCall['upstreamFor']>) {
    return this.#origin.upstreamFor(...given)
  }

  carry(state: CarriedState) {
    const round = (this.carried?.round ?? 1) + 1
    return this.#deps.states.seal({ ...state, round }, bindingOf(this.#request, this.#origin))
  }

  progress(done: number, total?: number, message?: string) {
    return this.#request.progress(done, total, message)
  }

  audit(entry: CallAudit): void {
    this.#origin.audit(entry)
  }
}

type Announcing = ReturnType<typeof announceOn>

function announceOn(bus: EventBus) {
  const publishing: Promise<void>[] = []
  const announce = announceBy((event) => void publishing.push(bus.publish(event)))
  return { announce, publishing }
}

/** Announcements as events of the SDK. */
export function announceBy(publish: (event: ServerEvent) => void): Announce {
  return {
    toolsChanged: () => publish({ kind: 'tools_list_changed' }),
    promptsChanged: () => publish({ kind: 'prompts_list_changed' }),
    resourcesChanged: () => publish({ kind: 'resources_list_changed' }),
    resourceUpdated: (uri) => publish({ kind: 'resource_updated', uri }),
  }
}

/** What the state of a call's rounds belongs to. */
export function bindingOf(
  { kind = 'tool', name, arguments: input }: ToolRequest,
  { principal }: Origin,
): StateBinding {
  return { principal, for: `${kind} ${name}`, arguments: input }
}

async function tellElicitationComplete({ mcpReq }: ServerContext, id: string): Promise<void> {
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
