/** Reads documents whose time-to-live slides on with use, and writes as seldom as that allows. */

import type { Document, Store, Stored } from './port.ts'
import { createRecent } from './recent.ts'

export interface SlidingReadDeps {
  readonly store: Pick<Store, 'get' | 'touch'>
  /** Unix time in milliseconds. */
  readonly now: () => number
}

/** A document that is used all the time ends this much early at most, or a hundredth of its time. */
const LONGEST_STEP_MS = 1000

/** Some 100 bytes each. What is forgotten is written once more. */
const MOST_REMEMBERED = 10_000

/** Undefined when there is no such document. */
export type SlidingRead = <T extends Document>(key: string) => Promise<Stored<T> | undefined>

/**
 * What this node has just slid on is only read, together with whatever else is asked for in this turn
 * (`redis-get-together.ts`): 10 µs less for each call of a busy session, and no write.
 */
export function createSlidingRead(
  { store, now }: SlidingReadDeps,
  ttlSeconds: number,
): SlidingRead {
  const slidAt = createRecent<number>(MOST_REMEMBERED)
  const stepMs = Math.min(LONGEST_STEP_MS, ttlSeconds * 10)

  /** A clock that was set back says nothing. */
  function isDue(key: string): boolean {
    const passed = now() - (slidAt.get(key) ?? Number.NEGATIVE_INFINITY)
    return passed < 0 || passed >= stepMs
  }

  return async <T extends Document>(key: string) => {
    if (!isDue(key)) return store.get<T>(key)
    const at = now()
    const document = await store.touch<T>(key, ttlSeconds)
    if (document !== undefined) slidAt.set(key, at)
    return document
  }
}
