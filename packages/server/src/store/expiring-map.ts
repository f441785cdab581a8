/** A map whose entries expire. A timer removes expired entries in small batches. */

import { toMilliseconds } from './time-to-live.ts'

const SWEEP_EVERY_MS = 1000
/** Entries examined in one sweep, which bounds the time it blocks the event loop. */
const SWEEP_ENTRIES = 1000

interface Entry<T> {
  readonly value: T
  readonly expiresAt: number
}

export type ExpiringMap<T> = ReturnType<typeof createExpiringMap<T>>

/**
 * @param now the current time in Unix milliseconds
 * @param initial the `entries` of an earlier map
 */
export function createExpiringMap<T>(
  now: () => number,
  initial: readonly (readonly [key: string, value: T, expiresAt: number])[] = [],
) {
  const entries = new Map<string, Entry<T>>(
    initial.map(([key, value, expiresAt]) => [key, { value, expiresAt }]),
  )
  const stopSweeping = startSweeping(entries, now)

  function live(key: string): Entry<T> | undefined {
    const entry = entries.get(key)
    return entry && entry.expiresAt > now() ? entry : undefined
  }

  return {
    get: (key: string): T | undefined => live(key)?.value,
    /** Without a time-to-live an existing entry keeps its own. */
    set(key: string, value: T, ttlSeconds?: number): void {
      const expiresAt =
        ttlSeconds === undefined ? live(key)?.expiresAt : now() + toMilliseconds(ttlSeconds)
      if (expiresAt !== undefined) entries.set(key, { value, expiresAt })
    },
    delete(key: string): boolean {
      const existed = live(key) !== undefined
      entries.delete(key)
      return existed
    },
    /** The number of entries, including expired ones that are not removed yet. */
    size: (): number => entries.size,
    /** All live entries, each with its expiry in Unix milliseconds. */
    entries: (): [key: string, value: T, expiresAt: number][] =>
      [...entries].flatMap(([key, { value, expiresAt }]) =>
        expiresAt > now() ? [[key, value, expiresAt]] : [],
      ),
    /** Removes all entries and stops the timer. */
    close(): void {
      stopSweeping()
      entries.clear()
    },
  }
}

/** Removes expired entries, a batch at a time. Returns the function that stops it. */
function startSweeping(entries: Map<string, Entry<unknown>>, now: () => number): () => void {
  let cursor = entries.entries()

  function sweep(): void {
    const time = now()
    for (let visited = 0; visited < SWEEP_ENTRIES; visited += 1) {
      const next = cursor.next()
      if (next.done) {
        cursor = entries.entries()
        return
      }
      const [key, entry] = next.value
      if (entry.expiresAt <= time) entries.delete(key)
    }
  }

  // The timer must not keep the process alive.
  const timer = setInterval(sweep, SWEEP_EVERY_MS).unref()
  return () => clearInterval(timer)
}
