/**
 * The entries of access tokens in the store. An entry is plain text, since it contains no secret,
 * and authenticated: its HMAC covers key and fields, so that neither write access to the store nor
 * the signing secret alone is enough to forge a token. It is in the hash slot of its session.
 */

import { createHmac } from 'node:crypto'
import type { AdapterPayload } from 'oidc-provider'
import { sha256 } from '../../crypto/hash.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import type { Document, Store } from '../../store/port.ts'
import { grantClaimOf, sessionOfGrant } from './grants.ts'
import { isSame } from './hs256.ts'

export interface TokenEntry {
  readonly clientId: string
  /** Separated by spaces. */
  readonly scope: string
  readonly aud: string | readonly string[] | undefined
  readonly grantId: string | undefined
  readonly gty: string | undefined
  /** Unix times in seconds. */
  readonly iat: number | undefined
  readonly exp: number | undefined
}

export interface TokenEntriesDeps {
  readonly store: Pick<Store, 'get' | 'set' | 'delete'>
  readonly keyRing: Pick<KeyRing, 'subKeys'>
}

export type TokenEntries = ReturnType<typeof createTokenEntries>

const PURPOSE = 'token-entry'

/** The store key of a token's entry. */
export function tokenKey(sessionId: string, jti: string): string {
  return `{${sessionId}}:token:${sha256(jti)}`
}

/** The store key of the same entry in the previous release, in another hash slot. */
export function earlierKey(key: string): string {
  return `oauth:AccessToken:${key.slice(key.lastIndexOf(':') + 1)}`
}

/** The store key of a revoked grant's tombstone. */
export function grantKey(sessionId: string, grantId: string): string {
  return `{${sessionId}}:grant:${sha256(grantId)}`
}

/** `longestTtlSeconds` is the longest lifetime of a grant's tokens. */
export function createTokenEntries(
  { store, keyRing }: TokenEntriesDeps,
  { longestTtlSeconds }: { readonly longestTtlSeconds: number },
) {
  // Key rotation: the first key creates HMACs, all keys verify them.
  const keys = keyRing.subKeys(PURPOSE)

  /** Verifies the HMAC of a document read from this key; undefined if it is not authentic. */
  function open(key: string, document: Document | undefined): TokenEntry | undefined {
    if (document === undefined || typeof document.mac !== 'string') return undefined
    const text = textOf(key, document)
    for (const each of keys) {
      if (isSame(createHmac('sha256', each).update(text).digest('base64url'), document.mac)) {
        return document as unknown as TokenEntry
      }
    }
    return undefined
  }

  return {
    open,
    async read(sessionId: string, jti: string): Promise<TokenEntry | undefined> {
      const key = tokenKey(sessionId, jti)
      return open(key, await store.get(key))
    },
    async write(
      jti: string,
      payload: AdapterPayload,
      ttlSeconds = longestTtlSeconds,
    ): Promise<void> {
      const { accountId, clientId, scope = '', aud, grantId, gty, iat, exp } = payload
      const key = tokenKey(String(accountId), jti)
      const entry = { clientId, scope, aud, grantId, gty, iat, exp } as Document
      const [current] = keys
      if (current === undefined) throw new Error('The key ring has no keys')
      const mac = createHmac('sha256', current).update(textOf(key, entry)).digest('base64url')
      await store.set(key, { ...entry, mac }, ttlSeconds)
    },
    remove: (sessionId: string, jti: string) => store.delete(tokenKey(sessionId, jti)),
    revokeGrant: (grantId: string) =>
      store.set(grantKey(sessionOfGrant(grantId), grantId), { revoked: true }, longestTtlSeconds),
  }
}

/** An entry in the library's format for opaque tokens, for its introspection and revocation. */
export function payloadOf(jti: string, sessionId: string, entry: TokenEntry): AdapterPayload {
  const { clientId, scope, aud, grantId, gty, iat, exp } = entry
  const extra = { session_id: sessionId, grant_id: grantClaimOf(grantId) }
  const known = { ...{ clientId, scope, aud, grantId, gty, iat, exp }, extra }
  return { kind: 'AccessToken', jti, accountId: sessionId, ...known } as AdapterPayload
}

/** The input of the HMAC. Contains the key, so that an entry copied to another key is invalid. */
function textOf(key: string, entry: Document): string {
  const { clientId, scope, aud, grantId, gty, iat, exp } = entry
  // `JSON.stringify` writes absent fields as null.
  return JSON.stringify([key, clientId, scope, aud, grantId, gty, iat, exp])
}
