/** Slides the time-to-live of documents on with their use, and writes as seldom as that allows. */

import type { Store } from './port.ts'
import { createRecent } from './recent.ts'

export interface SlideDeps {
  readonly store: Pick<Store, 'touch'>
  /** Unix time in milliseconds. */
  readonly now: () => number
}

/** What is used all the time ends this much early at most, or by a hundredth of its time. */
const LONGEST_STEP_MS = 1000

/** Some 100 bytes each. What is forgotten is slid on once more. */
const MOST_REMEMBERED = 10_000

/**
 * Tells that a document was used; nobody waits for what follows from it. A store that is away is
 * noticed by whoever needs something of it.
 */
export type Slide = (key: string) => void

/**
 * Each node slides a document on once a second: with every use it would be 10 µs more for each call
 * of a busy session, and a write.
 */
export function createSlide({ store, now }: SlideDeps, ttlSeconds: number): Slide {
  const slidAt = createRecent<number>(MOST_REMEMBERED)
  const stepMs = Math.min(LONGEST_STEP_MS, ttlSeconds * 10)

  return (key) => {
    const passed = now() - (slidAt.get(key) ?? Number.NEGATIVE_INFINITY)
    // A clock that was set back says nothing.
    if (passed >= 0 && passed < stepMs) return
    slidAt.set(key, now())
    store.touch(key, ttlSeconds).catch(() => undefined)
  }
}
