/** The keys that sign access tokens: kept in the store, shared by all nodes, rotated over time. */

import type { JWK } from 'jose'
import type { KeyRing } from '../crypto/key-ring.ts'
import { storeUnavailable } from '../errors.ts'
import type { Store } from '../store/port.ts'
import {
  createKeySet,
  type SealedKey,
  type SigningAlgorithm,
  type SigningKey,
} from './signing-key-set.ts'

export interface SigningKeysDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  /** Unix time in milliseconds. */
  now(): number
}

export interface SigningKeysOptions {
  readonly algorithm: SigningAlgorithm
  /** How long a key signs; 30 days by default. */
  readonly rotateEverySeconds?: number
  /** The lifetime of access tokens: how long a key is published after it has stopped signing. */
  readonly keepSeconds: number
}

/** Every operation throws `unavailable` if it has to read the keys and the store is unavailable. */
export interface SigningKeys {
  /** The key that signs now. */
  current(): Promise<{
    readonly kid: string
    readonly alg: SigningAlgorithm
    readonly privateJwk: JWK
  }>
  /** Public parts only, the next key's included (RFC 7517, section 5). */
  published(): Promise<{ readonly keys: readonly JWK[] }>
  /**
   * The public key with this `kid`; undefined if there is none. An unknown `kid` triggers a read of
   * the store, at most once a second.
   */
  byKid(kid: string): Promise<JWK | undefined>
}

type Document = { readonly keys: readonly SealedKey[] }

const ROTATE_EVERY_SECONDS = 30 * 24 * 60 * 60
/**
 * After a loss of the store's data, a node may sign this long with a key that no other node has.
 */
const CACHE_MS = 10_000
/** Tokens with invented key ids must not flood the store with commands. */
const LOOK_AGAIN_MS = 1000
/**
 * Compare-and-set: a writer that loses the race reads the winner's keys. More attempts are a bug.
 */
const MOST_ATTEMPTS = 20

export function createSigningKeys(deps: SigningKeysDeps, options: SigningKeysOptions): SigningKeys {
  const { store, keyRing, now } = deps
  const { algorithm, keepSeconds, rotateEverySeconds = ROTATE_EVERY_SECONDS } = options
  const place = `signing-keys:${algorithm}`
  const set = createKeySet(keyRing, place, { algorithm, keepSeconds, rotateEverySeconds })
  /** Every rotation renews the TTL: without one for this long, all keys in the set are expired. */
  const ttlSeconds = 2 * rotateEverySeconds + keepSeconds
  let known: { readonly keys: readonly SigningKey[]; readonly readAt: number } | undefined
  let reading: Promise<readonly SigningKey[]> | undefined

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

  async function readAndKeep(): Promise<readonly SigningKey[]> {
    const readAt = now()
    const keys = await read()
    known = { keys, readAt }
    return keys
  }

  async function keysOf(longestMs: number): Promise<readonly SigningKey[]> {
    // The absolute difference, so that a clock set back does not extend the cache.
    if (known && Math.abs(now() - known.readAt) < longestMs) return known.keys
    reading ??= readAndKeep().finally(() => {
      reading = undefined
    })
    return await reading
  }

  return {
    async current() {
      const key = set.signing(await keysOf(CACHE_MS), now())
      if (key === undefined) throw new Error('A set of signing keys is never empty')
      return { kid: key.kid, alg: algorithm, privateJwk: key.privateJwk }
    },
    async published() {
      return { keys: (await keysOf(CACHE_MS)).map(({ publicJwk }) => publicJwk) }
    },
    async byKid(kid) {
      const named = (keys: readonly SigningKey[]) => keys.find((key) => key.kid === kid)?.publicJwk
      return named(await keysOf(CACHE_MS)) ?? named(await keysOf(LOOK_AGAIN_MS))
    },
  }
}
