/** Translates a `tools/call` of either era into the engine's terms. */

import type { CallToolRequest, Server, ServerContext } from '@modelcontextprotocol/server'
import type { CarriedState, ToolCall } from '../engine/call.ts'
import type { Announce } from '../engine/context.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import { type CallingClient, callingClient } from './client-facts.ts'
import type { Origin } from './origin.ts'
import type { RequestStates, StateBinding } from './request-state.ts'

export interface ToolCallDeps {
  readonly states: RequestStates
  readonly rateLimits: RateLimits
}

/** What a call needs of its request, whoever took that in. */
export interface ToolRequest
  extends Pick<ToolCall, 'name' | 'arguments' | 'signal' | 'responses' | 'progress' | 'meta'> {
  readonly client: CallingClient &
    Pick<ToolCall['client'], 'log' | 'hangUp'> & {
      readonly elicitationCompleted?: ToolCall['client']['elicitationCompleted']
    }
  /** What an earlier round left with the client. */
  readonly sealed: string | undefined
}

/** The request that the SDK hands to a handler. */
export function toolRequest(
  { params }: CallToolRequest,
  ctx: ServerContext,
  server: Server,
): ToolRequest {
  const { mcpReq } = ctx
  const client = callingClient(ctx, server)
  return {
    name: params.name,
    arguments: params.arguments ?? {},
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

/** What this round of a call goes on from; `announce` is the call's own. */
interface Round {
  readonly announce: Announce
  readonly carried: CarriedState | undefined
}

export function createToolCall(
  { states, rateLimits }: ToolCallDeps,
  request: ToolRequest,
  origin: Origin,
  { announce, carried }: Round,
): ToolCall {
  const { name, arguments: input, client } = request
  return {
    name,
    arguments: input,
    scopes: origin.scopes,
    async count(rate) {
      const who = `${name} ${origin.caller}`
      const [standing] = await rateLimits.count([{ limit: 'tool', who, rate }])
      return standing
    },
    clientId: origin.clientId,
    meta: request.meta,
    openSession: (handle) => origin.openSession(handle, client.facts),
    upstreamFor: origin.upstreamFor,
    client: {
      can: client.can,
      log: client.log,
      hangUp: client.hangUp,
      elicitationCompleted: client.elicitationCompleted,
    },
    announce,
    responses: request.responses,
    carried,
    carry: (state) => states.seal(state, bindingOf(request, origin)),
    signal: request.signal,
    progress: request.progress,
    log: origin.log,
  }
}

/** What the state of a call's rounds belongs to. */
export function bindingOf(
  { name, arguments: input }: ToolRequest,
  { principal }: Origin,
): StateBinding {
  return { principal, for: `tool ${name}`, arguments: input }
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
