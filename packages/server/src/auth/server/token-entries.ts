/**
 * What the store knows of access tokens. An entry is readable, since nothing in it is secret, and
 * authentic: its HMAC covers its key and its fields, so that neither who can write to the store nor who
 * has the signing secret makes a token that says more. It lies in the slot of its session.
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

/** Where the entry of a token lies. */
export function tokenKey(sessionId: string, jti: string): string {
  return `{${sessionId}}:token:${sha256(jti)}`
}

/** Where nodes of the last release keep the same entry, in a slot of its own. */
export function earlierKey(key: string): string {
  return `oauth:AccessToken:${key.slice(key.lastIndexOf(':') + 1)}`
}

/** Where it says that a grant of the session is revoked. */
export function grantKey(sessionId: string, grantId: string): string {
  return `{${sessionId}}:grant:${sha256(grantId)}`
}

/** `longestTtlSeconds` is how long anything that a grant gave may live. */
export function createTokenEntries(
  { store, keyRing }: TokenEntriesDeps,
  { longestTtlSeconds }: { readonly longestTtlSeconds: number },
) {
  // The first key makes, all of them check.
  const keys = keyRing.subKeys(PURPOSE)

  /** The entry of a document that was read under this key; undefined for one that is not authentic. */
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

/** An entry as the library keeps opaque tokens, so that its endpoints can look it up and revoke it. */
export function payloadOf(jti: string, sessionId: string, entry: TokenEntry): AdapterPayload {
  const { clientId, scope, aud, grantId, gty, iat, exp } = entry
  const extra = { session_id: sessionId, grant_id: grantClaimOf(grantId) }
  const known = { ...{ clientId, scope, aud, grantId, gty, iat, exp }, extra }
  return { kind: 'AccessToken', jti, accountId: sessionId, ...known } as AdapterPayload
}

/** The key is authenticated with the fields: an entry that was copied elsewhere is none. */
function textOf(key: string, entry: Document): string {
  const { clientId, scope, aud, grantId, gty, iat, exp } = entry
  // What is absent is null.
  return JSON.stringify([key, clientId, scope, aud, grantId, gty, iat, exp])
}
