/**
 * The keys that sign access tokens: in the store, shared by all nodes, with automatic key rotation.
 */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { KeyRing } from '../crypto/key-ring.ts'
import { storeUnavailable } from '../errors.ts'
import type { Store } from '../store/port.ts'
import { createKeyCache } from './key-cache.ts'

interface SigningKeysDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  /** Unix time in milliseconds. */
  now(): number
}

interface SigningKeysOptions {
  readonly algorithm: SigningAlgorithm
  /** How long a key signs; 30 days by default. */
  readonly rotateEverySeconds?: number
  /** The lifetime of access tokens: how long a key is published after it has stopped signing. */
  readonly keepSeconds: number
}

type Document = { readonly keys: readonly SealedKey[] }

const ROTATE_EVERY_SECONDS = 30 * 24 * 60 * 60
/**
 * Compare-and-set: a writer that loses the race reads the winner's keys. More attempts are a bug.
 */
const MOST_ATTEMPTS = 20

/**
 * Keys that were read once stay in use while the store is unavailable: in a Redis Cluster, sessions are
 * on other shards than the keys. Operations throw `unavailable` if there are none yet.
 */
export type SigningKeys = ReturnType<typeof createSigningKeys>

export function createSigningKeys(deps: SigningKeysDeps, options: SigningKeysOptions) {
  const { store, keyRing, now } = deps
  const { algorithm, keepSeconds, rotateEverySeconds = ROTATE_EVERY_SECONDS } = options
  const place = `signing-keys:${algorithm}`
  const set = createKeySet(keyRing, place, { algorithm, keepSeconds, rotateEverySeconds })
  /** Every rotation renews the TTL: without one for this long, all keys in the set are expired. */
  const ttlSeconds = 2 * rotateEverySeconds + keepSeconds

  async function write(rev: number | undefined, keys: readonly SealedKey[]): Promise<boolean> {
    if (rev === undefined) return await store.create(place, { keys }, ttlSeconds)
    const written = await store.patch(place, { keys }, { ifRev: rev, ttlSeconds })
    return written.outcome === 'written'
  }

  /** Rotates with optimistic concurrency: one node adds a missing key, the others read that key. */
  async function read(): Promise<readonly SigningKey[]> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const stored = await store.get<Document>(place)
      const found = stored?.keys ?? []
      const keys = await set.renew(found, now())
      if (keys === found || (await write(stored?.rev, keys))) return set.open(keys)
    }
    throw storeUnavailable(new Error('The signing keys change too fast to be read.'))
  }

  const { currentKeys, recentKeys } = createKeyCache(read, now)

  return {
    /** The key that signs now. */
    async current(): Promise<CurrentKey> {
      const key = set.signing(await currentKeys(), now())
      if (key === undefined) throw new Error('A set of signing keys is never empty')
      return { kid: key.kid, alg: algorithm, privateJwk: key.privateJwk }
    },
    /** Public parts only, the next key's included (RFC 7517, section 5). */
    async published(): Promise<{ readonly keys: readonly JWK[] }> {
      return { keys: (await currentKeys()).map(({ publicJwk }) => publicJwk) }
    },
    /**
     * The public key with this `kid`; undefined if there is none. An unknown `kid` triggers a read
     * of the store, at most once a second.
     * @throws AppError `unavailable` for an unknown `kid` while the store is unavailable
     */
    async byKid(kid: string): Promise<JWK | undefined> {
      const named = (keys: readonly SigningKey[]) => keys.find((key) => key.kid === kid)?.publicJwk
      return named(await currentKeys()) ?? named(await recentKeys())
    },
  }
}

type SigningAlgorithm = 'ES256' | 'EdDSA'

interface CurrentKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly privateJwk: JWK
}

/**
 * A key in the store. The whole key is sealed, its public part included, so that write access to
 * the store is not enough to inject a public key.
 */
interface SealedKey {
  readonly kid: string
  /** Unix time in milliseconds. */
  readonly signsFrom: number
  readonly sealed: string
}

export interface SigningKey {
  readonly kid: string
  readonly signsFrom: number
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

interface KeySetOptions {
  readonly algorithm: SigningAlgorithm
  readonly rotateEverySeconds: number
  readonly keepSeconds: number
}

const PURPOSE = 'signing-key'
const DAY_MS = 24 * 60 * 60 * 1000
/** Clock skew between nodes: one node may still sign with a key that another considers expired. */
const SKEW_MS = 5 * 60 * 1000

/** @param place the key in the store, bound to the ciphertext as associated data */
function createKeySet(keyRing: KeyRing, place: string, options: KeySetOptions) {
  const { mint, open } = createKeySealing(keyRing, place, options.algorithm)
  const rotateMs = options.rotateEverySeconds * 1000
  const keepMs = options.keepSeconds * 1000 + SKEW_MS
  /** Publishes a key this long before it signs, so that caches of the JWKS have it by then. */
  const leadMs = Math.min(DAY_MS, rotateMs / 2)

  /** The `signsFrom` of the next key; undefined if none is due yet. */
  function nextFrom(newest: SigningKey | undefined, time: number): number | undefined {
    if (newest === undefined) return time
    const due = newest.signsFrom + rotateMs
    if (newest.signsFrom > time || due - leadMs > time) return undefined
    return Math.max(due, time + leadMs)
  }

  return {
    open,
    /**
     * Rotates the set: removes keys that are expired at `time` and adds the next key when it is
     * due. Returns the same array if nothing changes.
     */
    async renew(keys: readonly SealedKey[], time: number): Promise<readonly SealedKey[]> {
      const ours = open(keys)
      const isGone = ({ kid, signsFrom }: SealedKey) => {
        const successor = ours.find((other) => other.signsFrom > signsFrom)
        const isOurs = ours.some((other) => other.kid === kid)
        // A node with another encryption key may be able to decrypt a key that this one cannot.
        const signsUntil = isOurs ? successor?.signsFrom : signsFrom + 2 * rotateMs
        return signsUntil !== undefined && signsUntil + keepMs <= time
      }
      const kept = keys.filter((key) => !isGone(key))
      const signsFrom = nextFrom(ours.at(-1), time)
      if (signsFrom !== undefined) return [...kept, await mint(signsFrom)]
      return kept.length < keys.length ? kept : keys
    },
    /** The key that signs at `time`. */
    signing(keys: readonly SigningKey[], time: number): SigningKey | undefined {
      // Falls back to the first key if this node's clock is behind that of the node which made it.
      return keys.findLast(({ signsFrom }) => signsFrom <= time) ?? keys[0]
    },
  }
}

/** @param place bound to the ciphertext as associated data */
function createKeySealing(keyRing: KeyRing, place: string, algorithm: SigningAlgorithm) {
  const context = (kid: string) => `${place}:${kid}`

  async function mint(signsFrom: number): Promise<SealedKey> {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
    const jwk = await exportJWK(privateKey)
    // RFC 7638: the `kid` is the key's thumbprint, so that no two keys share one.
    const kid = await calculateJwkThumbprint(jwk)
    return { kid, signsFrom, sealed: keyRing.seal(PURPOSE, JSON.stringify(jwk), context(kid)) }
  }

  function openOne({ kid, signsFrom, sealed }: SealedKey): SigningKey | undefined {
    const opened = keyRing.open(PURPOSE, sealed, context(kid))
    if (opened === undefined) return undefined
    const jwk = JSON.parse(opened) as JWK
    const { d: _, ...publicPart } = jwk
    const facts = { kid, alg: algorithm, use: 'sig' }
    return {
      kid,
      signsFrom,
      privateJwk: { ...jwk, ...facts },
      publicJwk: { ...publicPart, ...facts },
    }
  }

  /** The keys that this node can decrypt, sorted by `signsFrom`. */
  function open(keys: readonly SealedKey[]): SigningKey[] {
    return keys
      .map(openOne)
      .filter((key) => key !== undefined)
      .toSorted((a, b) => a.signsFrom - b.signsFrom)
  }

  return { mint, open }
}
