/** What a tool sees while it runs. */

import type { Upstream } from '../upstream/upstream.ts'

/** Where a person signs in, and the code that proves the page was opened by who asked for it. */
export interface SignInLink {
  readonly url: string
  readonly code: string
  readonly expiresAt: Date
}

/** Who signed in, as the identity provider says. */
export interface Account {
  readonly sub: string
  readonly name?: string
  readonly email?: string
}

/** What the server knows about the caller. */
export interface ToolSession {
  readonly state: 'anonymous' | 'authenticated'
  /** Absent while nothing has been kept for this caller. */
  readonly connectedAt: Date | undefined
  /** The session ends then, unless it is used again. */
  readonly expiresAt: Date | undefined
  /**
   * What a caller without token or connection passes as the `session` argument from now on;
   * absent for callers that are recognised without it.
   */
  readonly handle: string | undefined
  /** Undefined until somebody signed in, and for providers that do not say who it was. */
  account(): Promise<Account | undefined>
  /** A one-time link for signing in upstream; opens a session where there is none. */
  startSignIn(): Promise<SignInLink>
  /** Ends the session: revokes upstream, then forgets the credentials. False when there was none. */
  end(): Promise<boolean>
  /** A JSON value kept with the session, by name; undefined when it was never set. */
  get(name: string): unknown
  /** Keeps a JSON value with the session until it ends; opens a session where there is none. */
  set(name: string, value: unknown): Promise<void>
}

export interface ToolLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

export interface ToolContext<Input> {
  /** The validated arguments. */
  readonly input: Input
  readonly session: ToolSession
  readonly upstream: Upstream
  /** Aborted when the caller cancels or the tool's time is over; pass it on. */
  readonly signal: AbortSignal
  /** Tells the caller how far the call is; nothing happens if it did not ask. */
  progress(done: number, total?: number, message?: string): Promise<void>
  /** Structured log lines with the call's ids; values the tool masks are masked here too. */
  readonly log: ToolLog
}
