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

type WriteEntry = (
  model: string,
  id: string,
  payload: AdapterPayload,
  ttlSeconds?: number,
) => Promise<void>

export type Entries = ReturnType<typeof createEntries>

export function createEntries(
  { store, keyRing, now }: EntriesDeps,
  { prefix, longestTtlSeconds }: EntriesOptions,
) {
  const sealing = createEntrySealing(keyRing, `${prefix}-provider`)
  const keyOf = (kind: string, id: string) => `${prefix}:${kind}:${sha256(id)}`
  const exists = async (key: string) => (await store.get(key)) !== undefined

  async function read(model: string, id: string): Promise<Entry | undefined> {
    const key = keyOf(model, id)
    const entry = await store.get<StoredEntry>(key)
    return entry && sealing.open(key, entry, id)
  }

  const write: WriteEntry = async (model, id, payload, ttlSeconds = longestTtlSeconds) => {
    const key = keyOf(model, id)
    await store.set(key, sealing.seal(key, payload), ttlSeconds)
  }

  /** Writes only if the entry does not exist, so that a used entry stays used. */
  const create: WriteEntry = async (model, id, payload, ttlSeconds = longestTtlSeconds) => {
    const key = keyOf(model, id)
    await store.create(key, sealing.seal(key, payload), ttlSeconds)
  }

  return {
    read,
    write,
    create,
    /** Marks the entry as used (compare-and-set); false if another request was first. */
    async consume(model: string, id: string, rev: number, successor?: string): Promise<boolean> {
      const key = keyOf(model, id)
      const sealed = successor && sealing.sealSuccessor(key, successor)
      const changes = {
        consumed: Math.floor(now() / 1000),
        ...(sealed && { successor: sealed }),
      }
      const { outcome } = await store.patch(key, changes, { ifRev: rev })
      return outcome === 'written'
    },
    /**
     * Starts a grace period, during which a concurrent use does not count as a replay.
     * False if already marked.
     */
    markUse: (model: string, id: string, ttlSeconds: number): Promise<boolean> =>
      store.create(keyOf(`${model}Use`, id), {}, ttlSeconds),
    isMarked: (model: string, id: string): Promise<boolean> => exists(keyOf(`${model}Use`, id)),
    /**
     * Renews the TTL (sliding expiration) and reseals with the current key, so that rotated keys
     * are needed no longer than unused entries live. Without effect if the entry does not exist.
     */
    async renew(model: string, id: string, ttlSeconds: number): Promise<void> {
      const entry = await read(model, id)
      if (entry !== undefined) await write(model, id, entry.payload, ttlSeconds)
    },
    /** False if another request has removed the entry. */
    remove: (model: string, id: string): Promise<boolean> => store.delete(keyOf(model, id)),
    /** Writes a tombstone that outlives all tokens of the grant: revokes existing and later ones. */
    revokeGrant: (grantId: string): Promise<void> =>
      store.set(keyOf('RevokedGrant', grantId), { revoked: true }, longestTtlSeconds),
    isRevoked: (grantId: string): Promise<boolean> => exists(keyOf('RevokedGrant', grantId)),
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
