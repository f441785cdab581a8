/** The session record, as stored. */

import type { ClientFacts } from '../mcp/request-context.ts'
import type { Stored } from '../store/port.ts'
import type { RefreshFailure } from './refresh-failure.ts'

/** Schema version; incremented on change, so that nodes of two releases can distinguish records. */
export const SESSION_SCHEMA = 1

/**
 * How a caller accesses the session: by MCP session (`Mcp-Session-Id`), by access token, by the
 * session handle itself, or by nothing, because the process serves one user (stdio).
 */
export type SessionAccess = 'connection' | 'token' | 'handle' | 'process'

/** Encrypted credentials of one upstream; null, as a tombstone, once they are deleted. */
export interface SealedCredentials {
  readonly sealed: string | null
  /** Fencing token of the lock they were written under; writes with a lower one are dropped. */
  readonly fence: number
  /** The failure of the last refresh. */
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
  /** Values stored by tools, by name. */
  readonly data: Readonly<Record<string, unknown>>
  /** By the upstream's name. */
  readonly credentials: Readonly<Record<string, SealedCredentials>>
  /** The client that opened it. */
  readonly client: ClientFacts
  /**
   * SHA-256 of the cookie of the browser that authorized the client, if any. Written with
   * `SessionManager.update(id, 'browser', …)`; sign-in links require no code in that browser.
   */
  readonly browser?: string
  /** The client that may resume this session when the user authorizes it again. */
  readonly grantee?: { readonly key: string; readonly client: string }
  /** Key of the document that maps the account and client to a session (`LOGIN=at-authorize`). */
  readonly person?: string
  /** The latest expiry of an external issuer's tokens that were used, as Unix time in milliseconds. */
  readonly tokenUntil?: number
  /**
   * When an earlier session with this id was ended, as Unix time in milliseconds: tokens issued
   * before that stay invalid, although the id is in use again.
   */
  readonly endedBefore?: number
}

export type Session = Stored<SessionRecord>

/** The session's store key; the hash tag puts all keys of a session in one Redis Cluster slot. */
export function sessionKey(id: string): string {
  return `{${id}}:session`
}

/** Key of the copy of the sign-in that outlives the record. */
export function keptSignInKey(id: string): string {
  return `{${id}}:credentials`
}
