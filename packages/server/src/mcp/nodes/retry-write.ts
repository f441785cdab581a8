/** Writes what the store could not take just now: it was full or away, and comes back. */

import { setTimeout as delay } from 'node:timers/promises'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8000

/**
 * Tries, at first soon and then more rarely, until it succeeds or so many seconds have passed.
 * Never fails, and does not keep the process.
 */
export async function retryWrite(
  attempt: () => Promise<unknown>,
  forSeconds: number,
): Promise<void> {
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
 * Tries to write an answer for so many seconds; or, where too many wait already, what says that it
 * was lost. Only what is to be written is held, since answers may be large: let go of the other, and
 * give a `write` that knows neither.
 */
export function createLateAnswers<Answer>(
  forSeconds: number,
): (whole: Answer, lost: Answer, write: (answer: Answer) => Promise<unknown>) => Promise<void> {
  let waiting = 0
  async function wait(answer: Answer, write: (answer: Answer) => Promise<unknown>): Promise<void> {
    waiting += 1
    await retryWrite(() => write(answer), forSeconds)
    waiting -= 1
  }
  return (whole, lost, write) => wait(waiting < MOST_WAITING ? whole : lost, write)
}
