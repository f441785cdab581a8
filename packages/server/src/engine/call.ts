/** One tool call as the protocol layer hands it over, in either era. */

import type { Logger } from '../logger.ts'
import type { Rate, Standing } from '../store/rate-limits.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { CancelSignal } from './cancel-signal.ts'
import type { Announce, ToolClient, ToolSession } from './context.ts'
import type { Caller } from './identity.ts'

/** The caller's session during one call, with what the engine needs besides what tools see. */
export interface CallSession extends ToolSession {
  /** Undefined until a session is opened. */
  id(): string | undefined
  /**
   * Waits until somebody has signed in, at the first upstream unless one is named; false when that
   * did not happen in time.
   */
  waitForSignIn(
    milliseconds: number,
    signal: Pick<CancelSignal, 'aborted'>,
    upstream?: string,
  ): Promise<boolean>
}

/** What runs for a caller. */
export type CallKind = 'tool' | 'resource' | 'prompt'

/** What the audit log says of a call: neither arguments nor results. */
export interface CallAudit {
  readonly kind: CallKind
  readonly name: string
  /** The hash that the session is known by in the log; undefined for a call without one. */
  readonly session: string | undefined
  readonly outcome: string
  readonly ms: number
  /** The client that the token was given to. */
  readonly clientId: string | undefined
}

/** Where what is said of a call goes: its log lines, and the one of the audit log. */
export interface CallLog {
  readonly log: Logger
  audit(entry: CallAudit): void
}

export interface ToolCall extends CallLog {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** Who authenticated to this server. */
  readonly caller: Caller
  /** Scopes of the caller's token; undefined for a caller without one. */
  readonly scopes: readonly string[] | undefined
  /** The client that the token was given to; undefined for a caller without one. */
  readonly clientId?: string | undefined
  /** `_meta` of the message: where the caller's trace context may be. */
  readonly meta?: object | undefined
  /**
   * Counts one more call of this tool by its caller; undefined where nothing is counted.
   * @throws AppError `unavailable` when the store is away
   */
  count(rate: Rate): Promise<Standing | undefined>
  /**
   * The session this call belongs to. `handle` is the `session` argument, if there was one.
   * @throws ToolError `session_not_found` for a handle that is unknown, ended or somebody else's
   */
  openSession(handle: string | undefined): CallSession | Promise<CallSession>
  /**
   * The upstream API as that session's person. `onAnswer` sees every answer before the tool; the
   * signal of `limit` ends every request.
   */
  upstreamFor(
    session: CallSession,
    onAnswer: (answer: unknown) => void,
    limit?: { readonly signal: AbortSignal },
  ): Upstream
  readonly client: ToolClient & {
    /** What it says of itself. */
    readonly facts?: { readonly clientName?: string; readonly protocolVersion?: string }
    /** Tells a 2025-era client that a URL elicitation is complete; the 2026 era has no such word. */
    readonly elicitationCompleted?: ((elicitationId: string) => Promise<void>) | undefined
  }
  /** Makes a change known to all clients that asked to hear of it, on all nodes. */
  readonly announce: Announce
  /**
   * Settles when all that was announced is; undefined where nothing was. The answer comes after it:
   * what its client causes next comes after the changes, on any node.
   */
  readonly publishing?: Promise<unknown> | undefined
  /** What the client answered in this round, by the names of our questions; not validated. */
  readonly responses: Readonly<Record<string, unknown>>
  /** What an earlier round of this call left with the client, verified. */
  readonly carried: CarriedState | undefined
  /** Seals what the next round needs. */
  carry(state: CarriedState): string
  readonly signal: CancelSignal
  progress(done: number, total?: number, message?: string): Promise<void>
}

/** Writes the line of the audit log, by any logger. */
export function auditCall(log: Logger, entry: CallAudit): void {
  const { kind, name, session, outcome, ms, clientId } = entry
  const of = session === undefined ? {} : { session }
  const who = clientId === undefined ? {} : { client: clientId }
  log.audit({ [kind]: name, ...of, outcome, ms, ...who }, AUDITED_AS[kind])
}

/** The message of the line. */
export const AUDITED_AS: Readonly<Record<CallKind, string>> = {
  tool: 'tool call',
  resource: 'resource read',
  prompt: 'prompt',
}

/** What a call carries through the client from one round to the next. */
export interface CarriedState {
  /** The session handle opened for a caller that had none. */
  readonly session?: string | undefined
  /** Which round of the call this is; the first has no state. */
  readonly round?: number
  /** How often the client was sent to sign in, or told to come back. */
  readonly signInRound?: number
  /** The upstream of that sign-in; absent for the first. */
  readonly signInAt?: string
  /** Answers of earlier rounds, by name. */
  readonly answers?: Readonly<Record<string, unknown>>
}
