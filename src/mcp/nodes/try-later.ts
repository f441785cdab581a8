/** Writes what the store could not take just now: it was full or away, and comes back. */

import { setTimeout as delay } from 'node:timers/promises'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8000

/**
 * Tries, at first soon and then more rarely, until it succeeds or so many seconds have passed.
 * Never fails, and does not keep the process.
 */
export async function tryLater(attempt: () => Promise<unknown>, forSeconds: number): Promise<void> {
  const giveUpAt = performance.now() + forSeconds * 1000
  let waitMs = FIRST_WAIT_MS
  while (performance.now() < giveUpAt) {
    await delay(waitMs, undefined, { ref: false })
    try {
      await attempt()
      return
    } catch {
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
    }
  }
}

/** So many answers of one kind wait whole for a store that does not take them; others are lost. */
const MOST_WAITING = 100

/**
 * The same for answers, which may be large: `write` hears whether the answer may wait whole, or only
 * that it was lost. Tries for so many seconds.
 */
export function createLateAnswers(
  forSeconds: number,
): (write: (isWhole: boolean) => Promise<unknown>) => Promise<void> {
  let waiting = 0
  return async (write) => {
    const isWhole = waiting < MOST_WAITING
    waiting += 1
    await tryLater(() => write(isWhole), forSeconds)
    waiting -= 1
  }
}
