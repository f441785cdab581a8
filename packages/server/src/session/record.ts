/** A session as it lies in the store. */

import type { ClientFacts } from '../mcp/origin.ts'
import type { Stored } from '../store/port.ts'
import type { RefreshFailure } from './refresh-failure.ts'

/** Counts up when the form changes, so that nodes of two releases can tell records apart. */
export const SESSION_SCHEMA = 1

/**
 * What a caller shows to use the session: a connection (`Mcp-Session-Id`), an access token, the
 * session handle itself, or nothing, because the process serves one person (stdio).
 */
export type SessionAccess = 'connection' | 'token' | 'handle' | 'process'

/** Credentials of one upstream, encrypted; null once they are no longer good. */
export interface SealedCredentials {
  readonly sealed: string | null
  /** Token of the lock they were written under; older writers are refused. */
  readonly fence: number
  /** Why they could not be refreshed the last time. */
  readonly failure?: RefreshFailure
}

export interface SessionRecord {
  readonly [field: string]: unknown
  readonly schema: typeof SESSION_SCHEMA
  /** `ses_` and 256 random bits. */
  readonly id: string
  readonly access: SessionAccess
  readonly state: 'anonymous' | 'authenticated'
  /** Unix times in milliseconds. */
  readonly connectedAt: number
  readonly lastActiveAt: number
  readonly expiresAt: number
  /** Values that tools keep, by name. */
  readonly data: Readonly<Record<string, unknown>>
  /** By the upstream's name. */
  readonly credentials: Readonly<Record<string, SealedCredentials>>
  /** The client that opened it. */
  readonly client: ClientFacts
  /**
   * SHA-256 of the cookie of the browser that let the client in, where there was one. It is written
   * with `SessionManager.update(id, 'browser', …)`; sign-in links need no code in that browser.
   */
  readonly browser?: string
  /** The client that may go on with it when a person authorizes that again. */
  readonly grantee?: { readonly key: string; readonly client: string }
  /** Where it is kept which session this account has with this client (`LOGIN=at-authorize`). */
  readonly person?: string
  /**
   * When an earlier session of this id was ended, as Unix time in milliseconds: tokens from before
   * that are good for nothing any more, though the id lives again.
   */
  readonly endedBefore?: number
}

export type Session = Stored<SessionRecord>

/** The session's key in the store; the braces keep all keys of one session on one cluster node. */
export function sessionKey(id: string): string {
  return `{${id}}:session`
}

/** The key of what is kept of its sign-in when the record expires. */
export function keptSignInKey(id: string): string {
  return `{${id}}:credentials`
}
