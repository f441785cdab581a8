/**
 * Where a request comes from, as far as the protocol needs to know: what `mcp/` asks of whoever
 * keeps sessions.
 */

import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import type { CallLog, CallSession, ToolCall } from '../engine/call.ts'
import type { Caller } from '../engine/identity.ts'
import type { ToolOutcome } from '../engine/run-tool.ts'
import type { Logger } from '../logger.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import type { McpSessionRecord } from './legacy/mcp-session.ts'
import type { TokenSession } from './nodes/session-ends.ts'

/** What a client says of itself; for the sign-in page and the logs, never for a decision. */
export interface ClientFacts {
  readonly clientName?: string
  readonly protocolVersion?: string
}

/** A client whose facts are looked for when somebody needs them. */
export interface KnownClient {
  readonly facts: ClientFacts
}

/** The origin of one call. */
export interface RequestContext extends CallLog {
  /** Names the caller in what is sealed for it; no other caller can use that. */
  readonly principal: string
  /** Who is counted where a tool has a limit. */
  readonly caller: string
  readonly scopes: readonly string[] | undefined
  /** Who authenticated to this server, as tools see it. */
  readonly identity: Caller
  /** The client that the caller's token was given to. */
  readonly clientId?: string | undefined
  /** What the call has stored counts for. */
  readonly storage: StorageBudget
  /**
   * The session of one call. `handle` is the session the call names, if it names one.
   * @throws ToolError `session_not_found`
   */
  openSession(handle: string | undefined, client: KnownClient): CallSession | Promise<CallSession>
  /** Whether the caller wants to hear of updates of a resource (2025 era; 2026 has `subscriptions/listen`). */
  subscribe(uri: string, wanted: boolean): Promise<void>
  /** The upstream API as that session's person. `onAnswer` sees every answer before the tool. */
  upstreamFor: ToolCall['upstreamFor']
}

export type McpSessionOwner = Pick<McpSessionRecord, 'sessionId' | 'needsToken'>

/** Who asks, as far as it decides what there is. */
export type Viewer = Pick<RequestContext, 'identity' | 'log'>

/** The origins one authenticated HTTP request can turn out to have. */
export interface RequestContexts {
  readonly log: Logger
  /** The session of the caller's token; undefined for a caller without one. */
  readonly tokenSession: TokenSession | undefined
  /** Who authenticated to this server, as tools see it. */
  readonly identity: Caller
  /** Who is counted for a request: the token's session, or an address. */
  readonly caller: string
  /** What the request has stored counts for. */
  readonly storage: StorageBudget
  /** A 2026-era request: known by its token or by the session handle that calls name. */
  stateless(): RequestContext
  /** A 2025-era request on a connection. */
  mcpSession(mcpSession: McpSessionRecord): RequestContext
  /** Whose a new connection is. */
  connect(client: ClientFacts): Promise<McpSessionOwner>
  /** Ends the session of a connection that has ended, if nobody could use it any more. */
  disconnect(mcpSession: McpSessionRecord): Promise<void>
}

/** The SDK hands `authInfo` through to handlers untouched: the way for what we know of a request. */
export function asAuthInfo(requestContext: RequestContext): AuthInfo {
  return {
    token: '',
    clientId: '',
    scopes: [...(requestContext.scopes ?? [])],
    extra: { requestContext },
  }
}

/** What `asAuthInfo` made of the origin. */
export function requestContextFrom(authInfo: AuthInfo | undefined): RequestContext {
  const requestContext = authInfo?.extra?.requestContext as RequestContext | undefined
  if (requestContext === undefined) throw new Error('A request arrived without its origin')
  return requestContext
}

/** Takes along what the tool of a request came to, which ran before the SDK heard of the request. */
export function attachOutcome(authInfo: AuthInfo | undefined, outcome: Promise<ToolOutcome>): void {
  Object.assign(authInfo?.extra ?? {}, { outcome })
}

/** What the tool of a request came to, if it has run already; once, since it may have to run again. */
export function detachOutcome(ctx: ServerContext): Promise<ToolOutcome> | undefined {
  const { extra } = ctx.http?.authInfo ?? {}
  const outcome = extra?.outcome as Promise<ToolOutcome> | undefined
  if (extra !== undefined) extra.outcome = undefined
  return outcome
}

/** Lists vary by authorization only: callers without a token see the `session` argument. */
export type Audience = 'anonymous' | 'token'

/** Who is listed to, by what `asAuthInfo` made. */
export function audienceOf(authInfo: AuthInfo | undefined): Audience {
  const requestContext = authInfo?.extra?.requestContext as RequestContext | undefined
  return requestContext?.scopes === undefined ? 'anonymous' : 'token'
}

/** The origin of the request a handler serves; `fallback` where the transport carries none (stdio). */
export function requestContextOf(
  ctx: ServerContext,
  fallback: RequestContext | undefined,
): RequestContext {
  const requestContext = ctx.http?.authInfo?.extra?.requestContext as RequestContext | undefined
  const known = requestContext ?? fallback
  if (known === undefined) throw new Error('A request arrived without its origin')
  return known
}
