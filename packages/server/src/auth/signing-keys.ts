/**
 * The keys that sign access tokens: made once for all nodes, replaced in time, kept in the store.
 */

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
  /**
   * How long what a key signed is good, after which the key goes: the lifetime of access tokens.
   */
  readonly keepSeconds: number
}

/** Every operation throws `unavailable` when the keys have to be read and the store is away. */
export interface SigningKeys {
  /** What to sign with now. */
  current(): Promise<{
    readonly kid: string
    readonly alg: SigningAlgorithm
    readonly privateJwk: JWK
  }>
  /** Public parts only, the next key's included (RFC 7517, section 5). */
  published(): Promise<{ readonly keys: readonly JWK[] }>
  /**
   * The public key of that name; undefined when there is none. A name that is not known makes it
   * look into the store again, at most once a second.
   */
  byKid(kid: string): Promise<JWK | undefined>
}

type Document = { readonly keys: readonly SealedKey[] }

const ROTATE_EVERY_SECONDS = 30 * 24 * 60 * 60
/** If the store was emptied, for so long a node may sign with a key that the others do not have. */
const CACHE_MS = 10_000
/** Tokens with invented names of keys must not turn into a flood of commands. */
const LOOK_AGAIN_MS = 1000
/** Writers that lost read what the winner wrote: more attempts than this are a fault. */
const MOST_ATTEMPTS = 20

export function createSigningKeys(deps: SigningKeysDeps, options: SigningKeysOptions): SigningKeys {
  const { store, keyRing, now } = deps
  const { algorithm, keepSeconds, rotateEverySeconds = ROTATE_EVERY_SECONDS } = options
  const place = `signing-keys:${algorithm}`
  const set = createKeySet(keyRing, place, { algorithm, keepSeconds, rotateEverySeconds })
  /** It is written at every rotation: unused for so long, it holds nothing that is still good. */
  const ttlSeconds = 2 * rotateEverySeconds + keepSeconds
  let known: { readonly keys: readonly SigningKey[]; readonly readAt: number } | undefined
  let reading: Promise<readonly SigningKey[]> | undefined

  async function write(rev: number | undefined, keys: readonly SealedKey[]): Promise<boolean> {
    if (rev === undefined) return await store.create(place, { keys }, ttlSeconds)
    const written = await store.patch(place, { keys }, { ifRev: rev, ttlSeconds })
    return written.outcome === 'written'
  }

  /** Of any number of nodes that find a key missing, one adds it, and the others read that one. */
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
    // A clock that was set back must not make them last.
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
