/**
 * The request context: principal, scopes, session access and storage budget of a request. `mcp/`
 * defines the interface, `session/` implements it.
 */

import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import type { CallLog, CallSession, ToolCall } from '../engine/call.ts'
import type { Caller } from '../engine/identity.ts'
import type { ToolOutcome } from '../engine/run-tool.ts'
import type { Logger } from '../logger.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import type { TokenSession } from './nodes/session-ends.ts'

/** Self-reported client facts, for the sign-in page and the logs; never for a decision. */
export interface ClientFacts {
  readonly clientName?: string
  readonly protocolVersion?: string
}

/** A client whose facts are computed lazily. */
export interface KnownClient {
  readonly facts: ClientFacts
}

/** The context of one call. */
export interface RequestContext extends CallLog {
  /** Binds sealed state to the caller: no other principal can open it. */
  readonly principal: string
  /** The key that rate limits of tools count. */
  readonly caller: string
  readonly scopes: readonly string[] | undefined
  /** The authenticated caller, as tools see it. */
  readonly identity: Caller
  /** The client that the caller's token was issued to. */
  readonly clientId?: string | undefined
  /** The storage budget that the writes of the call are charged to. */
  readonly storage: StorageBudget
  /**
   * Opens the session of one call. `handle` is the session handle in the call, if there is one.
   * @throws ToolError `session_not_found`
   */
  openSession(handle: string | undefined, client: KnownClient): CallSession | Promise<CallSession>
  /** Subscribes or unsubscribes (2025 era; the 2026 era has `subscriptions/listen`). */
  subscribe(uri: string, wanted: boolean): Promise<void>
  /** The upstream API as the session's user. `onAnswer` receives each response before the tool. */
  upstreamFor: ToolCall['upstreamFor']
}

/** The owner of a 2025-era MCP session. */
export interface McpSessionOwner {
  readonly sessionId: string
  /** Whether only tokens of that session may use it; if false, no token may. */
  readonly needsToken: boolean
}

/** A 2025-era MCP session and the session that it acts for. */
export interface ActingMcpSession {
  readonly id: string
  readonly sessionId: string
}

/** The part of a caller that visibility depends on. */
export type Viewer = Pick<RequestContext, 'identity' | 'log'>

/** Creates the request context of an authenticated HTTP request, by its era. */
export interface RequestContexts {
  readonly log: Logger
  /** The session of the caller's token; undefined for a caller without one. */
  readonly tokenSession: TokenSession | undefined
  /** The authenticated caller, as tools see it. */
  readonly identity: Caller
  /** The key that concurrency limits count: the token's session, or a client address. */
  readonly caller: string
  /** The storage budget that the writes of the request are charged to. */
  readonly storage: StorageBudget
  /** A 2026-era request, identified by its token or by the session handle in its calls. */
  stateless(): RequestContext
  /** A 2025-era request in an MCP session. */
  mcpSession(mcpSession: ActingMcpSession): RequestContext
  /** The owner of a new MCP session. */
  connect(client: ClientFacts): Promise<McpSessionOwner>
  /** Ends the session of an ended MCP session if no caller could use it again. */
  disconnect(mcpSession: ActingMcpSession): Promise<void>
}

/** Wraps the context as `authInfo`, which the SDK passes to handlers unchanged. */
export function asAuthInfo(requestContext: RequestContext): AuthInfo {
  return {
    token: '',
    clientId: '',
    scopes: [...(requestContext.scopes ?? [])],
    extra: { requestContext },
  }
}

/** Unwraps the context that `asAuthInfo` has wrapped. */
export function requestContextFrom(authInfo: AuthInfo | undefined): RequestContext {
  const requestContext = authInfo?.extra?.requestContext as RequestContext | undefined
  if (requestContext === undefined) throw new Error('A request arrived without its origin')
  return requestContext
}

/** Attaches the outcome of a tool that has run before the SDK received the request. */
export function attachOutcome(authInfo: AuthInfo | undefined, outcome: Promise<ToolOutcome>): void {
  Object.assign(authInfo?.extra ?? {}, { outcome })
}

/** Takes the attached outcome, if there is one; only once, since the tool may have to run again. */
export function detachOutcome(ctx: ServerContext): Promise<ToolOutcome> | undefined {
  const { extra } = ctx.http?.authInfo ?? {}
  const outcome = extra?.outcome as Promise<ToolOutcome> | undefined
  if (extra !== undefined) extra.outcome = undefined
  return outcome
}

/** Lists vary by authorization only: unauthenticated callers see the `session` argument. */
export type Audience = 'anonymous' | 'token'

/** The audience of the context that `asAuthInfo` has wrapped. */
export function audienceOf(authInfo: AuthInfo | undefined): Audience {
  const requestContext = authInfo?.extra?.requestContext as RequestContext | undefined
  return requestContext?.scopes === undefined ? 'anonymous' : 'token'
}

/** The context of a handler's request; `fallback` for transports without `authInfo` (stdio). */
export function requestContextOf(
  ctx: ServerContext,
  fallback: RequestContext | undefined,
): RequestContext {
  const requestContext = ctx.http?.authInfo?.extra?.requestContext as RequestContext | undefined
  const known = requestContext ?? fallback
  if (known === undefined) throw new Error('A request arrived without its origin')
  return known
}
