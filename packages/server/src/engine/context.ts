/** What a tool sees while it runs. */

import type { LoggingLevel } from '@modelcontextprotocol/server'
import type { Upstreams } from '../upstream/upstream.ts'
import type { Ask } from './ask.ts'
import type { Env, UpstreamNames } from './env.ts'
import type { Caller } from './identity.ts'

/** Where a person signs in, and the code that proves the page was opened by who asked for it. */
export interface SignInLink {
  readonly url: string
  readonly code: string
  readonly expiresAt: Date
  /** The same without a clock: how long the link is good from when it was made. */
  readonly ttlSeconds: number
}

/** Who signed in, as the identity provider says. */
export interface Account {
  readonly sub: string
  readonly name?: string
  readonly email?: string
}

/** What the server knows about the caller. */
export interface ToolSession {
  /** Whether somebody has signed in at the first upstream. */
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
  /**
   * Whether somebody has signed in at an upstream, or pasted a key for it.
   * @throws ToolError `unknown_upstream` for one that is not there
   */
  isSignedIn(upstream?: string): boolean
  /**
   * Who signed in at an upstream, at the first unless one is named. Undefined until somebody did, and
   * where nobody says who it was.
   */
  account(upstream?: string): Promise<Account | undefined>
  /**
   * A one-time link for signing in at an upstream, at the first unless one is named; opens a session
   * where there is none.
   */
  startSignIn(upstream?: string): Promise<SignInLink>
  /**
   * Ends the session: revokes at every upstream, then forgets the credentials. False when there was
   * none.
   */
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

/** The client that called, as far as it says. */
export interface ToolClient {
  /** What it does when it is asked: `ask` fails for the rest. */
  readonly can: {
    readonly fillForms: boolean
    readonly openUrls: boolean
    readonly sample: boolean
    readonly listRoots: boolean
  }
  /**
   * A log line for the people at the client, if they want lines of that level. Deprecated by
   * 2026-07-28 (SEP-2577).
   */
  log(level: LoggingLevel, data: unknown): Promise<void>
  /**
   * Ends the stream the client waits on, so that a long call holds no connection: the client comes
   * back for the rest, to any node (2025-11-25, SEP-1699). Nothing happens where it could not.
   */
  hangUp(): void
}

/** Changes that clients can ask to hear of. */
export interface Announce {
  toolsChanged(): void
  promptsChanged(): void
  resourcesChanged(): void
  resourceUpdated(uri: string): void
}

/**
 * A class, each part of which is made when the tool asks for it. Take it apart as you like; a copy made
 * with `...` has the input alone, and its type says so.
 */
export abstract class ToolContext<Input, E extends Env = Env> {
  /** The validated arguments. */
  abstract readonly input: Input
  /** Who authenticated to this server. */
  abstract get caller(): Caller
  /** What `src/mcp.ts` declares as settings. */
  abstract get settings(): E['settings']
  /** What `src/mcp.ts` opens as services. */
  abstract get services(): E['services']
  abstract get session(): ToolSession
  /** The API behind the tools, in the name of the person of the session. */
  /** The API of the first upstream, and those of others by name: `upstream.github.get(…)`. */
  abstract get upstream(): Upstreams<UpstreamNames<E>>
  /** Aborted when the caller cancels or the tool's time is over; pass it on. */
  abstract get signal(): AbortSignal
  abstract get client(): ToolClient
  abstract get announce(): Announce
  /** Puts questions to the people at the client, or to its model. */
  abstract get ask(): Ask
  /** Tells the caller how far the call is; nothing happens if it did not ask. */
  abstract get progress(): (done: number, total?: number, message?: string) => Promise<void>
  /** Structured log lines with the call's ids; values the tool masks are masked here too. */
  abstract get log(): ToolLog
}
