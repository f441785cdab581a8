/** What a provider keeps: sealed payloads under hashed keys, used once and revoked together. */

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
  /** What all keys begin with: providers that share a store are told apart by it. */
  readonly prefix: string
  /** How long anything that a grant gave may live, in seconds. */
  readonly longestTtlSeconds: number
}

export interface Entry {
  readonly payload: AdapterPayload
  readonly rev: number
  /** Unix time in seconds of its one use. */
  readonly consumed?: number
  /** The id of what took its place. */
  readonly successor?: string
}

export interface Entries {
  read(model: string, id: string): Promise<Entry | undefined>
  write(model: string, id: string, payload: AdapterPayload, ttlSeconds?: number): Promise<void>
  /** Writes only if there is none, so that what was used stays used. */
  create(model: string, id: string, payload: AdapterPayload, ttlSeconds?: number): Promise<void>
  /** Marks the one use; false when somebody else was first. */
  consume(model: string, id: string, rev: number, successor?: string): Promise<boolean>
  /**
   * For as long as the store says, others who use it at the same time can be told from thieves.
   * False when it is marked already.
   */
  markUse(model: string, id: string, ttlSeconds: number): Promise<boolean>
  isMarked(model: string, id: string): Promise<boolean>
  /**
   * Slides the time-to-live on and seals with the current key, so that keys that were replaced are
   * needed no longer than what is used at all. Nothing happens when there is no such entry.
   */
  renew(model: string, id: string, ttlSeconds: number): Promise<void>
  /** False when somebody else has done it. */
  remove(model: string, id: string): Promise<boolean>
  /** Remembers it for longer than what the grant gave lives: that is dead, and what it gives yet. */
  revokeGrant(grantId: string): Promise<void>
  isRevoked(grantId: string): Promise<boolean>
}

type StoredEntry = {
  /** The payload: it may hold states, nonces, secrets and codes. */
  readonly sealed: string
  readonly consumed?: number
  /** Sealed: it is a token. */
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
        // The id is the token itself: it comes from the caller, not from the store.
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
