/** A cache of keys in the store, which stay in use while the store is unavailable. */

import { storeUnavailable } from '../errors.ts'
import { withDeadline } from '../store/command-deadline.ts'

/**
 * After a loss of the store's data, a node may sign this long with a key that no other node has.
 */
const CACHE_MS = 10_000
/** Tokens with invented key ids must not flood the store with commands. */
const LOOK_AGAIN_MS = 1000
/** Known keys are used after this time while the store, or the shard that has the keys, hangs. */
const PATIENCE_MS = 250

/**
 * Concurrent callers share one read of the store.
 * @param read rejects if the store is unavailable
 * @param now Unix time in milliseconds
 */
export function createKeyCache<Key>(read: () => Promise<readonly Key[]>, now: () => number) {
  let known: { readonly keys: readonly Key[]; readonly readAt: number } | undefined
  let reading: Promise<readonly Key[]> | undefined

  async function readAndKeep(): Promise<readonly Key[]> {
    const readAt = now()
    const keys = await read()
    known = { keys, readAt }
    return keys
  }

  async function keysOf(longestMs: number): Promise<readonly Key[]> {
    // The absolute difference, so that a clock set back does not extend the cache.
    if (known && Math.abs(now() - known.readAt) < longestMs) return known.keys
    reading ??= readAndKeep().finally(() => {
      reading = undefined
    })
    return await reading
  }

  return {
    /** The keys, or those of the last read while the store is unavailable. */
    async currentKeys(): Promise<readonly Key[]> {
      const current = keysOf(CACHE_MS)
      if (known === undefined) return await current
      const { keys } = known
      return await withDeadline(current, PATIENCE_MS, storeUnavailable).catch(() => {
        // Not each call has to wait for that.
        if (known?.keys === keys) known = { keys, readAt: now() - CACHE_MS + LOOK_AGAIN_MS }
        return keys
      })
    },
    /** The keys as read at most a second ago. */
    recentKeys: () => keysOf(LOOK_AGAIN_MS),
  }
}
