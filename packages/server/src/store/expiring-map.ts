/** A map whose entries expire; expired ones are swept away a few at a time. */

import { toMilliseconds } from './time-to-live.ts'

const SWEEP_EVERY_MS = 1000
/** Bounds the time one sweep may block the process, however many entries there are. */
const SWEEP_ENTRIES = 1000

export interface ExpiringMap<T> {
  get(key: string): T | undefined
  /** Without a time-to-live an existing entry keeps its own. */
  set(key: string, value: T, ttlSeconds?: number): void
  delete(key: string): boolean
  /** Entries held, expired ones not yet swept included. */
  size(): number
  /** Everything that has not expired, with when it does, in milliseconds since the epoch. */
  entries(): [key: string, value: T, expiresAt: number][]
  /** Forgets everything and stops sweeping. */
  close(): void
}

interface Entry<T> {
  readonly value: T
  readonly expiresAt: number
}

/**
 * @param now milliseconds; decides what has expired
 * @param initial what `entries` of an earlier map gave
 */
export function createExpiringMap<T>(
  now: () => number,
  initial: readonly (readonly [key: string, value: T, expiresAt: number])[] = [],
): ExpiringMap<T> {
  const entries = new Map<string, Entry<T>>(
    initial.map(([key, value, expiresAt]) => [key, { value, expiresAt }]),
  )
  let cursor = entries.entries()
  // A process must not be kept alive by its sweeper.
  const timer = setInterval(sweep, SWEEP_EVERY_MS).unref()

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

  function live(key: string): Entry<T> | undefined {
    const entry = entries.get(key)
    return entry && entry.expiresAt > now() ? entry : undefined
  }

  return {
    get: (key) => live(key)?.value,
    set(key, value, ttlSeconds) {
      const expiresAt =
        ttlSeconds === undefined ? live(key)?.expiresAt : now() + toMilliseconds(ttlSeconds)
      if (expiresAt !== undefined) entries.set(key, { value, expiresAt })
    },
    delete(key) {
      const existed = live(key) !== undefined
      entries.delete(key)
      return existed
    },
    size: () => entries.size,
    entries: () =>
      [...entries].flatMap(([key, { value, expiresAt }]) =>
        expiresAt > now() ? [[key, value, expiresAt]] : [],
      ),
    close() {
      clearInterval(timer)
      entries.clear()
    },
  }
}
