/** Where `oidc-provider` keeps its state: the server's store, so that nodes share it. */

import { createHash } from 'node:crypto'
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { Store } from '../store/port.ts'

/** As long as anything that a grant gave may live. */
export const LONGEST_TTL_SECONDS = 14 * 24 * 60 * 60

export interface StoreAdapterDeps {
  readonly store: Store
  readonly keyRing: KeyRing
  /** Unix time in milliseconds. */
  now(): number
}

const PURPOSE = 'demo-provider'

type Entry = {
  /** The payload: it may hold states, nonces and codes. */
  readonly sealed: string
  /** Unix time in seconds of its one use. */
  readonly consumed?: number
}

/** Creates the adapters of one provider. Keys are hashes: nothing can be read from the store. */
export function createStoreAdapter(deps: StoreAdapterDeps, prefix = 'demo'): AdapterFactory {
  return (model) => createModelAdapter(deps, model, (kind, id) => `${prefix}:${kind}:${sha256(id)}`)
}

function createModelAdapter(
  { store, keyRing, now }: StoreAdapterDeps,
  model: string,
  keyOf: (kind: string, id: string) => string,
): Adapter {
  return {
    async find(id) {
      const key = keyOf(model, id)
      const entry = await store.get<Entry>(key)
      const opened = entry && keyRing.open(PURPOSE, entry.sealed, key)
      if (!opened) return undefined
      const payload = JSON.parse(opened) as AdapterPayload
      const { grantId } = payload
      if (grantId && (await store.get(keyOf('RevokedGrant', grantId)))) return undefined
      const { consumed } = entry
      // The id is the token itself: it comes from the caller, not from the store.
      return { ...payload, ...(consumed !== undefined && { consumed }), jti: id }
    },

    async upsert(id, { jti: _, ...payload }, expiresIn = LONGEST_TTL_SECONDS) {
      const key = keyOf(model, id)
      const sealed = keyRing.seal(PURPOSE, JSON.stringify(payload), key)
      await store.set(key, { sealed }, expiresIn)
    },

    /** The first one wins: a code or a refresh token is good once, on all nodes together. */
    async consume(id) {
      const key = keyOf(model, id)
      const entry = await store.get<Entry>(key)
      if (!entry || entry.consumed !== undefined) throw new errors.InvalidGrant('already used')
      const consumed = Math.floor(now() / 1000)
      const { outcome } = await store.patch(key, { consumed }, { ifRev: entry.rev })
      if (outcome !== 'written') throw new errors.InvalidGrant('already used')
    },

    async destroy(id) {
      await store.delete(keyOf(model, id))
    },

    /** Marks the grant: what is made from it at this very moment is revoked as well. */
    async revokeByGrantId(grantId) {
      await store.set(keyOf('RevokedGrant', grantId), { revoked: true }, LONGEST_TTL_SECONDS)
    },

    // Asked only for device codes and for tokens bound to a browser session: the demo has neither.
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
