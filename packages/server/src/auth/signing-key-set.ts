/** The set of signing keys as it lies in the store, and what time makes of it. */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { KeyRing } from '../crypto/key-ring.ts'

export type SigningAlgorithm = 'ES256' | 'EdDSA'

/**
 * A key in the store. All there is of it is sealed: nobody can slip in a public key of their own.
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
/** How far clocks may be apart: what one node takes for gone, another may just have signed with. */
const SKEW_MS = 5 * 60 * 1000

export interface KeySet {
  /** Those that open, by the time they sign from. */
  open(keys: readonly SealedKey[]): SigningKey[]
  /**
   * The keys there should be at `time`: without those that are gone, with the next one. The same
   * array when that is what there is.
   */
  renew(keys: readonly SealedKey[], time: number): Promise<readonly SealedKey[]>
  /** The one that signs at `time`. */
  signing(keys: readonly SigningKey[], time: number): SigningKey | undefined
}

/** @param place the key in the store: what is sealed opens there only */
export function createKeySet(keyRing: KeyRing, place: string, options: KeySetOptions): KeySet {
  const { algorithm } = options
  const rotateMs = options.rotateEverySeconds * 1000
  const keepMs = options.keepSeconds * 1000 + SKEW_MS
  /** Caches of the published keys must have a new one before it signs. */
  const leadMs = Math.min(DAY_MS, rotateMs / 2)
  const context = (kid: string) => `${place}:${kid}`

  async function mint(signsFrom: number): Promise<SealedKey> {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
    const jwk = await exportJWK(privateKey)
    // RFC 7638: the name follows from the key, so that no two keys share one.
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

  /** When the next key of a set is needed, it signs from the time this gives. */
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
        // One that does not open here may be good on a node with another encryption key.
        const signsUntil = isOurs ? successor?.signsFrom : signsFrom + 2 * rotateMs
        return signsUntil !== undefined && signsUntil + keepMs <= time
      }
      const kept = keys.filter((key) => !isGone(key))
      const signsFrom = nextFrom(ours.at(-1), time)
      if (signsFrom !== undefined) return [...kept, await mint(signsFrom)]
      return kept.length < keys.length ? kept : keys
    },

    signing(keys, time) {
      // The first one signs even where the clock is behind that of the node which made it.
      return keys.findLast(({ signsFrom }) => signsFrom <= time) ?? keys[0]
    },
  }
}
