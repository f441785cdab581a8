/** The context of a tool's `run`. */

import type { LoggingLevel } from '@modelcontextprotocol/server'
import type { Upstreams } from '../upstream/upstream.ts'
import type { Ask } from './ask.ts'
import type { Env, UpstreamNames } from './env.ts'
import type { Caller } from './identity.ts'

/** A sign-in page's URL, and the code that binds the page to the user who requested it. */
export interface SignInLink {
  readonly url: string
  readonly code: string
  readonly expiresAt: Date
  /** Lifetime of the link from its creation, independent of clocks. */
  readonly ttlSeconds: number
}

/** The signed-in account, from the identity provider. */
export interface Account {
  readonly sub: string
  readonly name?: string
  readonly email?: string
}

/** The caller's session. */
export interface ToolSession {
  /** `authenticated` after a sign-in at the first upstream. */
  readonly state: 'anonymous' | 'authenticated'
  /** Undefined while the caller has no session. */
  readonly connectedAt: Date | undefined
  /** The session expires then, unless it is used again (sliding expiration). */
  readonly expiresAt: Date | undefined
  /**
   * The `session` argument for later calls of a caller without token or MCP session; undefined for
   * other callers.
   */
  readonly handle: string | undefined
  /**
   * Whether the user has signed in at an upstream, or pasted an API key for it.
   * @throws ToolError `unknown_upstream` for an upstream that is not configured
   */
  isSignedIn(upstream?: string): boolean
  /**
   * The account at an upstream, by default the first. Undefined before the sign-in, and for
   * upstreams that do not identify accounts.
   */
  account(upstream?: string): Promise<Account | undefined>
  /**
   * Creates a one-time sign-in link for an upstream, by default the first; opens a session if there
   * is none.
   */
  startSignIn(upstream?: string): Promise<SignInLink>
  /**
   * Ends the session: deletes the credentials, then revokes them at every upstream. False if there
   * was no session.
   */
  end(): Promise<boolean>
  /** A JSON value stored in the session, by name; undefined if never set. */
  get(name: string): unknown
  /** Stores a JSON value in the session until it ends; opens a session if there is none. */
  set(name: string, value: unknown): Promise<void>
}

export interface ToolLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** The calling client, by its self-declared capabilities. */
export interface ToolClient {
  /** Supported question kinds; `ask` fails for the others. */
  readonly can: {
    readonly fillForms: boolean
    readonly openUrls: boolean
    readonly sample: boolean
    readonly listRoots: boolean
  }
  /**
   * Sends a log message to the client, if it subscribed to that level. Deprecated by 2026-07-28
   * (SEP-2577).
   */
  log(level: LoggingLevel, data: unknown): Promise<void>
  /**
   * Closes the response stream, so that a long call holds no connection: the client reconnects and
   * resumes, on any node (2025-11-25, SEP-1699). No-op for clients that cannot resume.
   */
  closeStream(): void
}

/** Publishes change notifications to subscribed clients. */
export interface Announce {
  toolsChanged(): void
  promptsChanged(): void
  resourcesChanged(): void
  resourceUpdated(uri: string): void
}

/**
 * The context, with lazily created parts. Destructuring works; a copy made with `...` contains only
 * `input`, as its type says.
 */
export abstract class ToolContext<Input, E extends Env = Env> {
  /** The validated arguments. */
  abstract readonly input: Input
  /** The authenticated caller. */
  abstract get caller(): Caller
  /** The settings declared in `src/mcp.ts`. */
  abstract get settings(): E['settings']
  /** The services opened in `src/mcp.ts`. */
  abstract get services(): E['services']
  abstract get session(): ToolSession
  /**
   * The first upstream's API, on behalf of the session's user; others by name, such as
   * `upstream.github.get(…)`.
   */
  abstract get upstream(): Upstreams<UpstreamNames<E>>
  /** Aborted when the caller cancels or the tool times out; pass it on. */
  abstract get signal(): AbortSignal
  abstract get client(): ToolClient
  abstract get announce(): Announce
  /** Asks the client's user, or its model. */
  abstract get ask(): Ask
  /** Sends a progress notification; no-op without a progress token. */
  abstract get progress(): (done: number, total?: number, message?: string) => Promise<void>
  /** Structured logger with the call's ids; masks the tool's masked values. */
  abstract get log(): ToolLog
}
