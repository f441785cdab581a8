/** Translates a request that the SDK passes to a handler into the fields that a call needs. */

import type { CallToolRequest, Server, ServerContext } from '@modelcontextprotocol/server'
import type { CallKind, ToolCall } from '../engine/call.ts'
import { type CallingClient, callingClient } from './client-facts.ts'

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
