/** Translates a `tools/call` of either era into the engine's terms. */

import {
  type CallToolRequest,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  inputResponse,
  PROTOCOL_VERSION_META_KEY,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { ToolCall } from '../engine/call.ts'
import { SIGN_IN_REQUEST } from '../engine/sign-in-ladder.ts'
import type { ClientFacts, Origin } from './origin.ts'
import type { RequestStates } from './request-state.ts'

/** `server` knows the 2025-era client; a 2026 request says of itself who sent it. */
export function createToolCall(
  states: RequestStates,
  { params }: CallToolRequest,
  ctx: ServerContext,
  server: Server,
  origin: Origin,
): ToolCall {
  const { mcpReq } = ctx
  const input = params.arguments ?? {}
  const binding = { principal: origin.principal, tool: params.name, arguments: input }
  const sealed = mcpReq.requestState<string>()
  const client = clientOf(ctx, server)
  return {
    name: params.name,
    arguments: input,
    scopes: origin.scopes,
    openSession: (handle) => origin.openSession(handle, client.facts),
    upstreamFor: origin.upstreamFor,
    client: {
      opensUrls: client.capabilities?.elicitation?.url !== undefined,
      elicitationCompleted: client.modern
        ? undefined
        : (elicitationId) =>
            mcpReq.notify({
              method: 'notifications/elicitation/complete',
              params: { elicitationId },
            }),
    },
    signInAnswer: answerOf(mcpReq.inputResponses),
    carried: sealed === undefined ? undefined : states.open(sealed, binding),
    carry: (state) => states.seal(state, binding),
    signal: mcpReq.signal,
    progress: (done, total, message) => notifyProgress(ctx, done, total, message),
    log: origin.log,
  }
}

/** What a 2026-era request says of its client in `_meta`; validated by the SDK, not typed by it. */
interface ClientEnvelope {
  readonly [CLIENT_INFO_META_KEY]?: { readonly name: string }
  readonly [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities
  readonly [PROTOCOL_VERSION_META_KEY]?: string
}

/** 2026-07-28, basic: a client says with each request who it is; before, its connection knows. */
function clientOf({ mcpReq }: ServerContext, server: Server) {
  const envelope = mcpReq.envelope as ClientEnvelope | undefined
  const modern = envelope !== undefined
  const info = modern ? envelope[CLIENT_INFO_META_KEY] : server.getClientVersion()
  const version = modern
    ? envelope[PROTOCOL_VERSION_META_KEY]
    : server.getNegotiatedProtocolVersion()
  const facts: ClientFacts = {
    ...(info !== undefined && { clientName: info.name.slice(0, 100) }),
    ...(version !== undefined && { protocolVersion: version }),
  }
  const capabilities = modern
    ? envelope[CLIENT_CAPABILITIES_META_KEY]
    : server.getClientCapabilities()
  return { modern, facts, capabilities }
}

function answerOf(responses: Record<string, unknown> | undefined): ToolCall['signInAnswer'] {
  const view = inputResponse(responses, SIGN_IN_REQUEST)
  return view.kind === 'elicit' ? view.action : undefined
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
