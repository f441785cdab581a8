/** Entries of an OIDC provider: sealed payloads under hashed keys, single-use, revoked by grant. */

import type { AdapterPayload } from 'oidc-provider'
import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Store, Stored } from '../store/port.ts'

export interface EntriesDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  /** Unix time in milliseconds. */
  now(): number
}

export interface EntriesOptions {
  /** Key prefix: the namespace of one provider in a shared store. */
  readonly prefix: string
  /** The longest lifetime of anything issued under a grant, in seconds. */
  readonly longestTtlSeconds: number
}

export interface Entry {
  readonly payload: AdapterPayload
  readonly rev: number
  /** Unix time in seconds of the single use. */
  readonly consumed?: number
  /** Id of the entry that replaced it: refresh token rotation. */
  readonly successor?: string
}

type StoredEntry = {
  /** The encrypted payload, which may contain states, nonces, secrets and codes. */
  readonly sealed: string
  readonly consumed?: number
  /** Sealed, because the id is the token itself. */
  readonly successor?: string
}

export class Entries {
  readonly #store: Store
  readonly #now: () => number
  readonly #sealing: ReturnType<typeof createEntrySealing>
  readonly #prefix: string
  readonly #longestTtlSeconds: number

  constructor({ store, keyRing, now }: EntriesDeps, { prefix, longestTtlSeconds }: EntriesOptions) {
    this.#store = store
    this.#now = now
    this.#sealing = createEntrySealing(keyRing, `${prefix}-provider`)
    this.#prefix = prefix
    this.#longestTtlSeconds = longestTtlSeconds
  }

  async read(model: string, id: string): Promise<Entry | undefined> {
    const key = this.#keyOf(model, id)
    const entry = await this.#store.get<StoredEntry>(key)
    return entry && this.#sealing.open(key, entry, id)
  }

  async write(
    model: string,
    id: string,
    payload: AdapterPayload,
    ttlSeconds = this.#longestTtlSeconds,
  ): Promise<void> {
    const key = this.#keyOf(model, id)
    await this.#store.set(key, this.#sealing.seal(key, payload), ttlSeconds)
  }

  /** Writes only if the entry does not exist, so that a used entry stays used. */
  async create(
    model: string,
    id: string,
    payload: AdapterPayload,
    ttlSeconds = this.#longestTtlSeconds,
  ): Promise<void> {
    const key = this.#keyOf(model, id)
    await this.#store.create(key, this.#sealing.seal(key, payload), ttlSeconds)
  }

  /** Marks the entry as used (compare-and-set); false if another request was first. */
  async consume(model: string, id: string, rev: number, successor?: string): Promise<boolean> {
    const key = this.#keyOf(model, id)
    const sealed = successor && this.#sealing.sealSuccessor(key, successor)
    const changes = {
      consumed: Math.floor(this.#now() / 1000),
      ...(sealed && { successor: sealed }),
    }
    const { outcome } = await this.#store.patch(key, changes, { ifRev: rev })
    return outcome === 'written'
  }

  /**
   * Starts a grace period, during which a concurrent use does not count as a replay.
   * False if already marked.
   */
  markUse(model: string, id: string, ttlSeconds: number): Promise<boolean> {
    return this.#store.create(this.#keyOf(`${model}Use`, id), {}, ttlSeconds)
  }

  isMarked(model: string, id: string): Promise<boolean> {
    return this.#exists(this.#keyOf(`${model}Use`, id))
  }

  /**
   * Renews the TTL (sliding expiration) and reseals with the current key, so that rotated keys
   * are needed no longer than unused entries live. Without effect if the entry does not exist.
   */
  async renew(model: string, id: string, ttlSeconds: number): Promise<void> {
    const entry = await this.read(model, id)
    if (entry !== undefined) await this.write(model, id, entry.payload, ttlSeconds)
  }

  /** False if another request has removed the entry. */
  remove(model: string, id: string): Promise<boolean> {
    return this.#store.delete(this.#keyOf(model, id))
  }

  /** Writes a tombstone that outlives all tokens of the grant: revokes existing and later ones. */
  revokeGrant(grantId: string): Promise<void> {
    const key = this.#keyOf('RevokedGrant', grantId)
    return this.#store.set(key, { revoked: true }, this.#longestTtlSeconds)
  }

  isRevoked(grantId: string): Promise<boolean> {
    return this.#exists(this.#keyOf('RevokedGrant', grantId))
  }

  #keyOf(kind: string, id: string): string {
    return `${this.#prefix}:${kind}:${sha256(id)}`
  }

  async #exists(key: string): Promise<boolean> {
    return (await this.#store.get(key)) !== undefined
  }
}

/** Encrypts entries, bound to their keys. */
function createEntrySealing(keyRing: KeyRing, purpose: string) {
  return {
    seal: (key: string, { jti: _, ...payload }: AdapterPayload) => ({
      sealed: keyRing.seal(purpose, JSON.stringify(payload), key),
    }),
    sealSuccessor: (key: string, id: string) => keyRing.seal(purpose, id, `${key}:next`),
    /** `id` is the token itself, so the store does not hold it. */
    open(key: string, entry: Stored<StoredEntry>, id: string): Entry | undefined {
      const opened = keyRing.open(purpose, entry.sealed, key)
      if (!opened) return undefined
      const { rev, consumed } = entry
      const successor = entry.successor && keyRing.open(purpose, entry.successor, `${key}:next`)
      return {
        payload: { ...(JSON.parse(opened) as AdapterPayload), jti: id },
        rev,
        ...(consumed !== undefined && { consumed }),
        ...(successor && { successor }),
      }
    },
  }
}
