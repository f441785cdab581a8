/** Entries of an OIDC provider: sealed payloads under hashed keys, single-use, revoked by grant. */

import type { AdapterPayload } from 'oidc-provider'
import { sha256 } from '../crypto/hash.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Store } from '../store/port.ts'

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

export interface Entries {
  read(model: string, id: string): Promise<Entry | undefined>
  write(model: string, id: string, payload: AdapterPayload, ttlSeconds?: number): Promise<void>
  /** Writes only if the entry does not exist, so that a used entry stays used. */
  create(model: string, id: string, payload: AdapterPayload, ttlSeconds?: number): Promise<void>
  /** Marks the entry as used (compare-and-set); false if another request was first. */
  consume(model: string, id: string, rev: number, successor?: string): Promise<boolean>
  /**
   * Starts a grace period, during which a concurrent use does not count as a replay.
   * False if already marked.
   */
  markUse(model: string, id: string, ttlSeconds: number): Promise<boolean>
  isMarked(model: string, id: string): Promise<boolean>
  /**
   * Renews the TTL (sliding expiration) and reseals with the current key, so that rotated keys are
   * needed no longer than unused entries live. Without effect if the entry does not exist.
   */
  renew(model: string, id: string, ttlSeconds: number): Promise<void>
  /** False if another request has removed the entry. */
  remove(model: string, id: string): Promise<boolean>
  /** Writes a tombstone that outlives all tokens of the grant: revokes existing and later ones. */
  revokeGrant(grantId: string): Promise<void>
  isRevoked(grantId: string): Promise<boolean>
}

type StoredEntry = {
  /** The encrypted payload, which may contain states, nonces, secrets and codes. */
  readonly sealed: string
  readonly consumed?: number
  /** Sealed, because the id is the token itself. */
  readonly successor?: string
}

export function createEntries(
  { store, keyRing, now }: EntriesDeps,
  { prefix, longestTtlSeconds }: EntriesOptions,
): Entries {
  const purpose = `${prefix}-provider`
  const keyOf = (kind: string, id: string) => `${prefix}:${kind}:${sha256(id)}`
  const exists = async (key: string) => (await store.get(key)) !== undefined
  const seal = (key: string, { jti: _, ...payload }: AdapterPayload) => ({
    sealed: keyRing.seal(purpose, JSON.stringify(payload), key),
  })

  const entries: Entries = {
    async read(model, id) {
      const key = keyOf(model, id)
      const entry = await store.get<StoredEntry>(key)
      const opened = entry && keyRing.open(purpose, entry.sealed, key)
      if (!opened) return undefined
      const { rev, consumed } = entry
      const successor = entry.successor && keyRing.open(purpose, entry.successor, `${key}:next`)
      return {
        // The id is the token itself, so the store does not hold it; the caller supplies it.
        payload: { ...(JSON.parse(opened) as AdapterPayload), jti: id },
        rev,
        ...(consumed !== undefined && { consumed }),
        ...(successor && { successor }),
      }
    },
    async write(model, id, payload, ttlSeconds = longestTtlSeconds) {
      const key = keyOf(model, id)
      await store.set(key, seal(key, payload), ttlSeconds)
    },
    async create(model, id, payload, ttlSeconds = longestTtlSeconds) {
      const key = keyOf(model, id)
      await store.create(key, seal(key, payload), ttlSeconds)
    },
    async consume(model, id, rev, successor) {
      const key = keyOf(model, id)
      const sealed = successor && keyRing.seal(purpose, successor, `${key}:next`)
      const changes = {
        consumed: Math.floor(now() / 1000),
        ...(sealed && { successor: sealed }),
      }
      const { outcome } = await store.patch(key, changes, { ifRev: rev })
      return outcome === 'written'
    },
    markUse: (model, id, ttlSeconds) => store.create(keyOf(`${model}Use`, id), {}, ttlSeconds),
    isMarked: (model, id) => exists(keyOf(`${model}Use`, id)),
    async renew(model, id, ttlSeconds) {
      const entry = await entries.read(model, id)
      if (entry !== undefined) await entries.write(model, id, entry.payload, ttlSeconds)
    },
    remove: (model, id) => store.delete(keyOf(model, id)),
    revokeGrant: (grantId) =>
      store.set(keyOf('RevokedGrant', grantId), { revoked: true }, longestTtlSeconds),
    isRevoked: (grantId) => exists(keyOf('RevokedGrant', grantId)),
  }
  return entries
}
