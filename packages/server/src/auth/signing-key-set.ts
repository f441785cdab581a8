/** The set of signing keys in the store, and its rotation over time. */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { KeyRing } from '../crypto/key-ring.ts'

export type SigningAlgorithm = 'ES256' | 'EdDSA'

/**
 * A key in the store. The whole key is sealed, its public part included, so that write access to
 * the store is not enough to inject a public key.
 */
export interface SealedKey {
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

export interface KeySetOptions {
  readonly algorithm: SigningAlgorithm
  readonly rotateEverySeconds: number
  readonly keepSeconds: number
}

const PURPOSE = 'signing-key'
const DAY_MS = 24 * 60 * 60 * 1000
/** Clock skew between nodes: one node may still sign with a key that another considers expired. */
const SKEW_MS = 5 * 60 * 1000

export interface KeySet {
  /** The keys that this node can decrypt, sorted by `signsFrom`. */
  open(keys: readonly SealedKey[]): SigningKey[]
  /**
   * Rotates the set: removes keys that are expired at `time` and adds the next key when it is due.
   * Returns the same array if nothing changes.
   */
  renew(keys: readonly SealedKey[], time: number): Promise<readonly SealedKey[]>
  /** The key that signs at `time`. */
  signing(keys: readonly SigningKey[], time: number): SigningKey | undefined
}

/** @param place the key in the store, bound to the ciphertext as associated data */
export function createKeySet(keyRing: KeyRing, place: string, options: KeySetOptions): KeySet {
  const { algorithm } = options
  const rotateMs = options.rotateEverySeconds * 1000
  const keepMs = options.keepSeconds * 1000 + SKEW_MS
  /** Publishes a key this long before it signs, so that caches of the JWKS have it by then. */
  const leadMs = Math.min(DAY_MS, rotateMs / 2)
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

  function open(keys: readonly SealedKey[]): SigningKey[] {
    return keys
      .map(openOne)
      .filter((key) => key !== undefined)
      .toSorted((a, b) => a.signsFrom - b.signsFrom)
  }

  /** The `signsFrom` of the next key; undefined if none is due yet. */
  function nextFrom(newest: SigningKey | undefined, time: number): number | undefined {
    if (newest === undefined) return time
    const due = newest.signsFrom + rotateMs
    if (newest.signsFrom > time || due - leadMs > time) return undefined
    return Math.max(due, time + leadMs)
  }

  return {
    open,

    async renew(keys, time) {
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

    signing(keys, time) {
      // Falls back to the first key if this node's clock is behind that of the node which made it.
      return keys.findLast(({ signsFrom }) => signsFrom <= time) ?? keys[0]
    },
  }
}
