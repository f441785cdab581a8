/**
 * Personal access tokens: made by a signed-in person, for jobs that act for them. Each token has a
 * session of its own, whose id is the hash of the token; the token itself is stored nowhere.
 */

import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import { randomValue } from '../crypto/random-id.ts'
import type { Document, Store, Stored } from '../store/port.ts'
import type { Credentials } from '../upstream/identity-provider.ts'
import type { Authorizations } from './authorizations.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import type { SessionManager } from './manager.ts'
import { type AuthorizationRecord, authorizationKey, personKey } from './record.ts'

/** Recognizable, so that secret scanners find tokens in repositories and logs. */
export const PERSONAL_TOKEN_PREFIX = 'mcp_pat_'

/** 43 base-62 characters have 256 bits; the checksum saves lookups of malformed tokens. */
const RANDOM_LENGTH = 43
const CHECKSUM_LENGTH = 6
const FORMAT = new RegExp(
  `^${PERSONAL_TOKEN_PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`,
)
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

const PURPOSE = 'personal-token'

/** The most live tokens of one person. */
const MOST_TOKENS = 50
const LONGEST_NAME = 80
const USED_EVERY_MS = 60_000

export interface PersonalTokenFacts {
  readonly owner: string
  readonly scopes: readonly string[]
  /** Unix time in milliseconds. */
  readonly expiresAt: number
}

export interface NewToken {
  readonly name: string
  readonly scopes: readonly string[]
  readonly ttlSeconds: number
}

export interface PersonalTokensDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  readonly sessions: Pick<SessionManager, 'createWithId'>
  readonly credentials: Pick<CredentialStore, 'write'>
  readonly authorizations: Pick<Authorizations, 'tokenMade' | 'ofPerson'>
  /** Unix time in milliseconds. */
  now(): number
}

export interface PersonalTokensOptions {
  /** The name of the first upstream, which identifies people. */
  readonly upstream: string
  readonly longestTtlSeconds: number
  /** The scopes that people can grant. */
  readonly scopes: readonly string[]
}

/** Why no token was made. */
export type TokenRefusal = 'no_name' | 'no_scopes' | 'bad_lifetime' | 'too_many'

export type PersonalTokens = ReturnType<typeof createPersonalTokens>

export function createPersonalTokens(
  { store, keyRing, sessions, credentials, authorizations, now }: PersonalTokensDeps,
  options: PersonalTokensOptions,
) {
  const sealing = createFactsSealing(keyRing)

  return {
    longestTtlSeconds: options.longestTtlSeconds,
    scopes: options.scopes,
    /**
     * Makes a token that acts for the account of a fresh upstream sign-in, whose credentials move
     * into the token's session.
     */
    async make(
      held: Credentials,
      wanted: NewToken,
    ): Promise<{ readonly token: string; readonly sessionId: string } | TokenRefusal> {
      const refusal = refusalOf(wanted, options)
      if (refusal !== undefined) return refusal
      const owner = ownerOf(held, options.upstream)
      if ((await authorizations.ofPerson('personal', owner)).length >= MOST_TOKENS)
        return 'too_many'
      const { scopes, ttlSeconds } = wanted
      const name = wanted.name.trim()
      const token = newToken()
      const sessionId = sessionOfToken(token)
      const since = now()
      const facts: PersonalTokenFacts = { owner, scopes, expiresAt: since + ttlSeconds * 1000 }
      const sealed = sealing.seal(sessionId, facts)
      const record = { kind: 'personal', clientId: '', name, since, ...facts, sealed } as const
      await authorizations.tokenMade(sessionId, record, ttlSeconds)
      await sessions.createWithId(sessionId, 'token', { clientName: name })
      const fence = await newestFence(store, sessionId, randomValue())
      await credentials.write(sessionId, held, fence)
      return { token, sessionId }
    },
    /** The facts of an unexpired token; undefined if the record is not that of a token. */
    open(sessionId: string, record: Stored<Document> | undefined): PersonalTokenFacts | undefined {
      const { sealed } = (record ?? {}) as Partial<AuthorizationRecord>
      const facts = sealed && sealing.open(sessionId, sealed)
      return facts && facts.expiresAt > now() ? facts : undefined
    },
    /** Records the use of a token, about once a minute. Rejects if the store is unavailable. */
    async used(sessionId: string, { lastUsedAt = 0 }: Partial<AuthorizationRecord>): Promise<void> {
      if (Math.abs(now() - lastUsedAt) < USED_EVERY_MS) return
      await store.patch(authorizationKey(sessionId), { lastUsedAt: now() })
    },
  }
}

function refusalOf(
  { name, scopes, ttlSeconds }: NewToken,
  { scopes: known, longestTtlSeconds }: PersonalTokensOptions,
): TokenRefusal | undefined {
  if (name.trim() === '' || [...name].length > LONGEST_NAME) return 'no_name'
  if (scopes.length === 0 || !scopes.every((scope) => known.includes(scope))) return 'no_scopes'
  const isWithin = Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0
  return isWithin && ttlSeconds <= longestTtlSeconds ? undefined : 'bad_lifetime'
}

function ownerOf({ account }: Credentials, upstream: string): string {
  if (account?.sub === undefined) throw new Error('Nobody is signed in')
  return personKey(upstream, account.sub)
}

/** Encrypts the facts of tokens, bound to their records. */
function createFactsSealing(keyRing: KeyRing) {
  return {
    seal: (sessionId: string, facts: PersonalTokenFacts): string =>
      keyRing.seal(PURPOSE, JSON.stringify(facts), authorizationKey(sessionId)),
    open(sessionId: string, sealed: string): PersonalTokenFacts | undefined {
      const opened = keyRing.open(PURPOSE, sealed, authorizationKey(sessionId))
      return opened ? (JSON.parse(opened) as PersonalTokenFacts) : undefined
    },
  }
}

/** Whether the string has the format of a personal access token, and a correct checksum. */
export function isPersonalToken(token: string): boolean {
  return FORMAT.test(token) && token.endsWith(checksumOf(token.slice(0, -CHECKSUM_LENGTH)))
}

/** The id of a token's session. */
export function sessionOfToken(token: string): string {
  return `ses_${sha256(`personal-token:${token}`)}`
}

function newToken(): string {
  const random = PERSONAL_TOKEN_PREFIX + randomText(RANDOM_LENGTH)
  return random + checksumOf(random)
}

/** Uniformly random characters: drops bytes from 248 on (rejection sampling, no modulo bias). */
function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET.charAt(byte % 62)
    }
  }
  return text
}

/** CRC-32 in base 62, as in the tokens of other services: detects, but does not protect. */
function checksumOf(text: string): string {
  let rest = crc32(text)
  let written = ''
  for (let at = 0; at < CHECKSUM_LENGTH; at += 1) {
    written = ALPHABET.charAt(rest % 62) + written
    rest = Math.floor(rest / 62)
  }
  return written
}
