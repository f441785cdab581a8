/** The session record, as stored. */

import { sha256 } from '../crypto/hash.ts'
import { CLIENT_TEXT_BYTES } from '../mcp/client-facts.ts'
import type { ClientFacts } from '../mcp/request-context.ts'
import type { Stored } from '../store/port.ts'
import { cutToBytes } from '../store/text-bytes.ts'
import type { RefreshFailure } from './refresh-failure.ts'

/** Schema version; incremented on change, so that nodes of two releases can distinguish records. */
export const SESSION_SCHEMA = 1

/**
 * How a caller accesses the session: by MCP session (`Mcp-Session-Id`), by access token, by the
 * session handle itself, or by nothing, because the process serves one user (stdio). `page` is a
 * visit of the account page, by a cookie.
 */
export type SessionAccess = 'connection' | 'token' | 'handle' | 'process' | 'page'

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
  /** `personKey` of the account that is signed in at the first upstream. */
  readonly owner?: string
  /** The scopes that the person has narrowed the client to; absent for all of its tokens'. */
  readonly allowed?: readonly string[]
}

/**
 * What a person has authorized: a client, or a personal access token. It outlives the session
 * record, which is recreated from it after the session expired from idleness.
 */
export interface AuthorizationRecord {
  readonly [field: string]: unknown
  readonly kind: 'client' | 'personal'
  /** Empty for a personal access token. */
  readonly clientId: string
  /** The client's self-declared name, or the name that the person gave the token. */
  readonly name?: string
  /** The consented scopes. */
  readonly scopes: readonly string[]
  /** Unix time in milliseconds. */
  readonly since: number
  readonly owner?: string
  readonly allowed?: readonly string[]
  /** Of a personal access token: when it expires and was used last, in Unix milliseconds. */
  readonly expiresAt?: number
  readonly lastUsedAt?: number
  /** Of a personal access token: its facts, encrypted, so that none can be forged in the store. */
  readonly sealed?: string
}

export type Session = Stored<SessionRecord>

/** The session's store key; the hash tag puts all keys of a session in one Redis Cluster slot. */
export function sessionKey(id: string): string {
  return `{${id}}:session`
}

/** The store key of the authorization record of a session. */
export function authorizationKey(id: string): string {
  return `{${id}}:authorization`
}

/** The scopes of a token after the person has narrowed its client. */
export function narrowedScopes(
  scopes: readonly string[],
  { allowed }: { readonly allowed?: readonly string[] },
): readonly string[] {
  return allowed === undefined ? scopes : scopes.filter((scope) => allowed.includes(scope))
}

/** The key of a person: `realm` is the name of the upstream, or the URL of an external issuer. */
export function personKey(realm: string, subject: string): string {
  return sha256(JSON.stringify(['person', realm, subject]))
}

/** Key of the copy of the sign-in that outlives the record. */
export function keptSignInKey(id: string): string {
  return `{${id}}:credentials`
}

/** The record of a new, anonymous session. Times are Unix times in milliseconds. */
export function newRecord(
  id: string,
  access: SessionAccess,
  client: ClientFacts | undefined,
  now: number,
  ttlSeconds: number,
): SessionRecord {
  return {
    schema: SESSION_SCHEMA,
    id,
    access,
    state: 'anonymous',
    connectedAt: now,
    lastActiveAt: now,
    expiresAt: now + ttlSeconds * 1000,
    data: {},
    credentials: {},
    client: cutFacts(client ?? {}),
  }
}

/** Truncates the client's name: clients choose it, and registered names may be long. */
function cutFacts({ clientName, ...facts }: ClientFacts): ClientFacts {
  return clientName === undefined
    ? facts
    : { ...facts, clientName: cutToBytes(clientName, CLIENT_TEXT_BYTES) }
}
