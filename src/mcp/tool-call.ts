/** Translates a `tools/call` of either era into the engine's terms. */

import type { CallToolRequest, Server, ServerContext } from '@modelcontextprotocol/server'
import type { ToolCall } from '../engine/call.ts'
import type { Announce } from '../engine/context.ts'
import type { RateLimits } from '../store/rate-limits.ts'
import { callingClient } from './client-facts.ts'
import type { Origin } from './origin.ts'
import type { RequestStates } from './request-state.ts'

export interface ToolCallDeps {
  readonly states: RequestStates
  readonly announce: Announce
  readonly rateLimits: RateLimits
}

export async function createToolCall(
  { states, announce, rateLimits }: ToolCallDeps,
  { params }: CallToolRequest,
  ctx: ServerContext,
  server: Server,
  origin: Origin,
): Promise<ToolCall> {
  const { mcpReq } = ctx
  const input = params.arguments ?? {}
  const binding = { principal: origin.principal, for: `tool ${params.name}`, arguments: input }
  const sealed = mcpReq.requestState<string>()
  const client = callingClient(ctx, server)
  return {
    name: params.name,
    arguments: input,
    scopes: origin.scopes,
    async count(rate) {
      const who = `${params.name} ${origin.caller}`
      const [standing] = await rateLimits.count([{ limit: 'tool', who, rate }])
      return standing
    },
    clientId: origin.clientId,
    meta: mcpReq._meta,
    openSession: (handle) => origin.openSession(handle, client.facts),
    upstreamFor: origin.upstreamFor,
    client: {
      can: client.can,
      log: (level, data) => mcpReq.log(level, data),
      hangUp: () => ctx.http?.closeSSE?.(),
      elicitationCompleted:
        client.era === '2026' ? undefined : (id) => tellElicitationComplete(ctx, id),
    },
    announce,
    responses: mcpReq.inputResponses ?? {},
    carried: sealed === undefined ? undefined : await states.open(sealed, binding),
    carry: (state) => states.seal(state, binding),
    signal: mcpReq.signal,
    progress: (done, total, message) => notifyProgress(ctx, done, total, message),
    log: origin.log,
  }
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
