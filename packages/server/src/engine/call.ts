/**
 * Port between the protocol layer and the engine: one call, in either era, and its count against the
 * tool's rate limit.
 */

import type { Logger } from '../logger.ts'
import type { Rate, RateLimitState } from '../store/rate-limits.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Caller } from './identity.ts'
import type { CancelSignal } from './time-limit.ts'
import type { Announce, ToolClient, ToolSession } from './tool-context.ts'
import { ToolError } from './tool-error.ts'

/** The caller's session during one call: the tools' view plus the engine's. */
export interface CallSession extends ToolSession {
  /** Undefined until a session is opened. */
  id(): string | undefined
  /** Whether a caller without a person has a service account at the upstream, by default the first. */
  hasServiceAccount?(upstream?: string): boolean
  /**
   * Waits for a sign-in at the named upstream, by default the first; false on timeout.
   */
  waitForSignIn(
    milliseconds: number,
    signal: Pick<CancelSignal, 'aborted'>,
    upstream?: string,
  ): Promise<boolean>
  /**
   * Signs in at the upstream on behalf of the caller, by exchanging its token. False if that is not
   * configured, or the person must sign in.
   * @throws AppError `upstream_error` when the identity provider is unavailable or misconfigured
   */
  signInOnBehalf(upstream?: string): Promise<boolean>
  /**
   * A valid token of a session that is signed in by exchange; undefined if it is not. `rejected` is
   * a token that the API rejected.
   * @throws AppError `login_required` when the person must sign in, and as above
   */
  tokenOnBehalf(upstream?: string, rejected?: string): Promise<string | undefined>
}

/** The kind of declaration that a call runs. */
export type CallKind = 'tool' | 'resource' | 'prompt'

/** A call's entry in the audit log: neither arguments nor results. */
export interface CallAudit {
  readonly kind: CallKind
  readonly name: string
  /** The session's hash, as in other log lines; undefined for a call without a session. */
  readonly session: string | undefined
  readonly outcome: string
  /** The outcome, or `other` for a code that a tool has defined. */
  readonly label: string
  readonly ms: number
  /** The client that the token was issued to. */
  readonly clientId: string | undefined
  /** The person, as AUDIT_SUBJECT says; undefined without one. */
  readonly subject?: string | undefined
}

/** The call's logger, and its audit log. */
export interface CallLog {
  readonly log: Logger
  audit(entry: CallAudit): void
}

export interface ToolCall extends CallLog {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** The authenticated caller. */
  readonly caller: Caller
  /** Scopes of the caller's token; undefined without a token. */
  readonly scopes: readonly string[] | undefined
  /** The client that the token was issued to; undefined without a token. */
  readonly clientId?: string | undefined
  /** `_meta` of the message, which may carry the caller's trace context. */
  readonly meta?: object | undefined
  /**
   * Counts one call of this tool against the caller's rate limit; undefined without rate limits.
   * @throws AppError `unavailable` when the store is unavailable
   */
  count(rate: Rate): Promise<RateLimitState | undefined>
  /**
   * The session of this call. `handle` is the `session` argument, if given.
   * @throws ToolError `session_not_found` for a handle that is unknown, ended or not the caller's
   */
  openSession(handle: string | undefined): CallSession | Promise<CallSession>
  /**
   * The upstream API on behalf of that session's user. `onAnswer` receives every response before
   * the tool does; the signal of `limit` aborts every request.
   */
  upstreamFor(
    session: CallSession,
    onAnswer: (answer: unknown) => void,
    limit?: { readonly signal: AbortSignal },
  ): Upstream
  readonly client: ToolClient & {
    /** Self-declared. */
    readonly facts?: { readonly clientName?: string; readonly protocolVersion?: string }
    /** Notifies a 2025-era client of a completed URL elicitation; undefined in the 2026 era. */
    readonly elicitationCompleted?: ((elicitationId: string) => Promise<void>) | undefined
  }
  /** Publishes a change to all subscribed clients, on all nodes. */
  readonly announce: Announce
  /**
   * Settles once all announced changes are published; undefined if there were none. The result is
   * sent afterwards, so that the client's next request, on any node, is ordered after the changes.
   */
  readonly publishing?: Promise<unknown> | undefined
  /** The client's responses of this round, by the names of our questions; not validated. */
  readonly responses: Readonly<Record<string, unknown>>
  /** The verified `requestState` of an earlier round of this call. */
  readonly requestState: RequestStateContent | undefined
  /** Seals the state for the next round as `requestState`. */
  sealRequestState(state: RequestStateContent): string
  readonly signal: CancelSignal
  progress(done: number, total?: number, message?: string): Promise<void>
}

/** Writes the audit log line, with any logger. */
export function auditCall(log: Logger, entry: CallAudit): void {
  const { kind, name, session, outcome, ms, clientId, subject } = entry
  const of = session === undefined ? {} : { session }
  const who = clientId === undefined ? {} : { client: clientId }
  const person = subject === undefined ? {} : { subject }
  log.audit({ [kind]: name, ...of, outcome, ms, ...who, ...person }, AUDITED_AS[kind])
}

/** The message of the line. */
export const AUDITED_AS: Readonly<Record<CallKind, string>> = {
  tool: 'tool call',
  resource: 'resource read',
  prompt: 'prompt',
}

/** Content of `requestState`, which the client returns in the next round. */
export interface RequestStateContent {
  /** The handle of a session that this call opened. */
  readonly session?: string | undefined
  /** Number of the call's round; the first round has no state. */
  readonly round?: number
  /** How often the client was asked to sign in, or to retry. */
  readonly signInRound?: number
  /** The upstream of that sign-in; absent for the first. */
  readonly signInAt?: string
  /** Answers of earlier rounds, by name. */
  readonly answers?: Readonly<Record<string, unknown>>
}

/**
 * Rounds that count as one call: more than clients make, of which the official ones stop after ten.
 * A caller could otherwise go on with one call without end, with answers that do not fit.
 */
const ROUNDS_OF_CALL = 12

/**
 * Counts a call against the rate limit, before any other work.
 * @throws ToolError `too_many_requests`, whose message says when to retry
 */
export async function countCall(rateLimit: Rate, call: ToolCall): Promise<void> {
  // Later rounds belong to a call that is already counted; their `requestState` is single-use.
  const { round = 0 } = call.requestState ?? {}
  if (call.requestState !== undefined && round <= ROUNDS_OF_CALL) return
  const standing = await call.count(rateLimit)
  if (standing?.isOver !== true) return
  const { calls, perSeconds } = rateLimit
  const { secondsLeft: retryAfterSeconds } = standing
  const message = `This tool may be called ${calls} times in ${perSeconds} seconds. Try again in ${retryAfterSeconds} seconds.`
  throw new ToolError(message, { code: 'too_many_requests', retryAfterSeconds })
}

/**
 * Callers without a token have no scopes to check; `MCP_AUTH` decides whether they may call.
 * @throws ToolError `insufficient_scope`
 */
export function checkScopes(
  required: readonly string[],
  { scopes }: Pick<ToolCall, 'scopes'>,
  kind: CallKind,
): void {
  const missing = scopes === undefined ? [] : required.filter((scope) => !scopes.includes(scope))
  if (missing.length === 0) return
  throw new ToolError(`This ${kind} requires the scope ${missing.join(' ')}.`, {
    code: 'insufficient_scope',
  })
}
