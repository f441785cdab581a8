/** Slides the time-to-live of documents on with their use, and writes as seldom as that allows. */

import type { Store } from './port.ts'
import { createRecent } from './recent.ts'

interface SlideDeps {
  readonly store: Pick<Store, 'touch'>
  /** Unix time in milliseconds. */
  readonly now: () => number
}

/** What is used all the time ends this much early at most. */
const STEP_MS = 1000

/** Some 100 bytes each. With more of them in use at a time, each use is a write again. */
const MOST_REMEMBERED = 20_000

/**
 * Tells that a document was used. Nobody waits for what follows from it, unless the store refused it
 * lately: then there is a promise to wait for, which rejects with `AppError('unavailable')` while the
 * store takes no writes. What such a store says may be old, and sessions that ended be alive in it.
 */
type Slide = (key: string) => Promise<void> | undefined

/**
 * Each node slides a document on once a second: with every use it would be 10 µs more for each call
 * of a busy session, and a write.
 */
export function createSlide({ store, now }: SlideDeps, ttlSeconds: number): Slide {
  const slidAt = createRecent<number>(MOST_REMEMBERED)
  let isRefused = false

  async function touch(key: string): Promise<void> {
    slidAt.set(key, now())
    try {
      await store.touch(key, ttlSeconds)
      isRefused = false
    } catch (error) {
      isRefused = true
      slidAt.set(key, Number.NEGATIVE_INFINITY)
      throw error
    }
  }

  return (key) => {
    const passed = now() - (slidAt.get(key) ?? Number.NEGATIVE_INFINITY)
    // A clock that was set back says nothing.
    if (!isRefused && passed >= 0 && passed < STEP_MS) return undefined
    const touching = touch(key)
    if (isRefused) return touching
    touching.catch(() => undefined)
    return undefined
  }
}
