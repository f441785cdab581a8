/**
 * Access tokens of the built-in server: JWTs (RFC 9068) that are valid while the store has them. An
 * entry is plain text, since it contains no secret, and authenticated: its HMAC covers key and
 * fields, so that neither write access to the store nor the signing secret alone is enough to forge
 * a token. It is in the hash slot of its session.
 */

import { createHmac } from 'node:crypto'
import type { AdapterPayload } from 'oidc-provider'
import { MACHINE_GRANTS } from '../../config/machine-clients.ts'
import { sha256 } from '../../crypto/hash.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import type { Entries } from '../../oidc/entries.ts'
import type { TokenCaller } from '../../session/caller.ts'
import type { SessionManager } from '../../session/manager.ts'
import { narrowedScopes, type Session, sessionKey } from '../../session/record.ts'
import type { Document, Store } from '../../store/port.ts'
import type { Stamps } from '../../store/sliding-expiration.ts'
import type { AccessTokens, TokenPresenter } from '../access-tokens.ts'
import { derivedCaller } from './derived-sessions.ts'
import { grantClaimOf, sessionOfGrant } from './grants.ts'
import { isSame, type TokenFacts, type TokenReader } from './token-reader.ts'

interface AccessTokenDeps {
  readonly reader: TokenReader
  readonly tokens: TokenEntries
  /**
   * The entries in the format of the previous release. Both formats are written for one release
   * (rolling upgrade): nodes of the previous release read only their own format, and their
   * revocations remove only entries in it.
   */
  readonly entries: Pick<Entries, 'read' | 'isRevoked'>
  /** Whether nodes of the previous release can share the store. */
  readonly hasEarlierNodes: boolean
  readonly store: Pick<Store, 'getAll'>
  readonly sessions: Pick<SessionManager, 'expiration'>
}

/**
 * The bearer check. Batches all reads into one round trip; the keys of a session are in one hash
 * slot, except the entry of the previous release. Compares the token with its entry in the store,
 * so that the signing secret alone is not enough to forge a token.
 */
export function createAccessTokens(deps: AccessTokenDeps): AccessTokens {
  return {
    callerOf(token, presenter) {
      const facts = deps.reader.read(token)
      return facts instanceof Promise
        ? facts.then((read) => callerOf(deps, read, presenter))
        : callerOf(deps, facts, presenter)
    },
  }
}

type Found = Awaited<ReturnType<Store['getAll']>>
type MaybeCaller = TokenCaller | undefined
/** A promise only if there is a wait. */
type Finding = MaybeCaller | Promise<MaybeCaller>

async function callerOf(
  deps: AccessTokenDeps,
  facts: TokenFacts | undefined,
  presenter: TokenPresenter | undefined,
): Promise<MaybeCaller> {
  if (facts === undefined) return undefined
  const { sessionId, grantId } = facts
  presenter?.onSession(sessionId)
  const name = sha256(facts.jti)
  const key = entryKey(sessionId, name)
  const own = [sessionKey(sessionId), key, grantKey(sessionId, grantId)]
  const prefetchKey = presenter?.prefetchKey
  const others = deps.hasEarlierNodes ? earlierKey(name) : []
  const found = await deps.store.getAll(own.concat(prefetchKey ?? [], others))
  if (prefetchKey !== undefined) presenter?.onPrefetched?.(found[own.length])
  return callerFrom(deps, facts, key, found)
}

/** Checks the token against the documents that were read. */
function callerFrom(deps: AccessTokenDeps, facts: TokenFacts, key: string, found: Found): Finding {
  const { tokens, sessions, hasEarlierNodes } = deps
  const session = found[0] as Session | undefined
  const [, document, revoked] = found
  if (session === undefined || sessions.expiration.isOver(session)) return undefined
  if (revoked !== undefined) return undefined
  if (hasEarlierNodes && found[found.length - 1] === undefined) return undefined
  if (document === undefined) return earlierCaller(deps, facts, session)
  return admit(deps, callerOn(session, facts, tokens.open(key, document)))
}

async function earlierCaller(
  deps: AccessTokenDeps,
  facts: TokenFacts,
  session: Session,
): Promise<MaybeCaller> {
  return admit(deps, callerOn(session, facts, await earlierEntry(deps, facts)))
}

function callerOn(session: Session, facts: TokenFacts, entry: Entry | undefined): MaybeCaller {
  if (entry === undefined || !isEntryOf(entry, facts)) return undefined
  const { grantId, clientId } = facts
  const scopes = narrowedScopes(facts.scopes, session)
  const expiresAt = entry.exp === undefined ? undefined : entry.exp * 1000
  const caller = { kind: 'token', session, grantId, clientId, scopes, expiresAt } as const
  if (!MACHINE_GRANTS.includes(entry.gty)) return caller
  const derived = derivedCaller(entry, facts, session)
  return derived && { ...caller, ...derived }
}

/** Renews the session's TTL: only after all checks, since a revoked token must not. */
function admit({ sessions }: AccessTokenDeps, caller: MaybeCaller): Finding {
  if (caller === undefined) return undefined
  const { session } = caller
  const renewing = sessions.expiration.use(sessionKey(session.id), session)
  return renewing === undefined ? caller : renewed(caller, renewing)
}

async function renewed(
  caller: TokenCaller,
  renewing: Promise<Stamps | undefined>,
): Promise<TokenCaller> {
  return { ...caller, session: { ...caller.session, ...(await renewing) } }
}

type Entry = Pick<TokenEntry, 'clientId' | 'grantId' | 'scope' | 'exp' | 'gty'>

/** The entry written by a node of the previous release, which writes only the earlier format. */
async function earlierEntry(
  { entries }: AccessTokenDeps,
  { jti, sessionId, grantId }: TokenFacts,
): Promise<Entry | undefined> {
  const [stub, isRevoked] = await Promise.all([
    entries.read('AccessToken', jti),
    entries.isRevoked(grantId),
  ])
  if (stub === undefined || isRevoked || stub.payload.accountId !== sessionId) return undefined
  const { clientId = '', scope = '', exp, gty } = stub.payload
  return { clientId, grantId: stub.payload.grantId, scope, exp, gty }
}

function isEntryOf(entry: Entry, token: TokenFacts): boolean {
  if (entry.grantId !== token.grantId || entry.clientId !== token.clientId) return false
  const { scopes } = token
  return entry.scope === (scopes.length === 1 ? scopes[0] : scopes.join(' '))
}

interface TokenEntry {
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

interface TokenEntriesDeps {
  readonly store: Pick<Store, 'get' | 'set' | 'delete'>
  readonly keyRing: Pick<KeyRing, 'subKeys'>
}

export type TokenEntries = ReturnType<typeof createTokenEntries>

const PURPOSE = 'token-entry'

/** The store key of a token's entry. */
export function tokenKey(sessionId: string, jti: string): string {
  return entryKey(sessionId, sha256(jti))
}

/** `name` is the hash of the token's `jti`. */
function entryKey(sessionId: string, name: string): string {
  return `{${sessionId}}:token:${name}`
}

/** The store key of the same entry in the previous release, in another hash slot. */
function earlierKey(name: string): string {
  return `oauth:AccessToken:${name}`
}

/** The store key of a revoked grant's tombstone. */
function grantKey(sessionId: string, grantId: string): string {
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
