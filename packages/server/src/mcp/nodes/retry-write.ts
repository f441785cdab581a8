/** Retries a write with exponential back-off until it succeeds or the deadline passes. */

import { setTimeout as delay } from 'node:timers/promises'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8000

/**
 * Retries `attempt` with exponential back-off until it succeeds or `forSeconds` have passed. Never
 * rejects; the timer does not keep the process alive.
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

/** Maximum number of responses of one kind that are held in memory until the store recovers. */
const MOST_WAITING = 100

/**
 * Retries writing a response for `forSeconds`. Beyond `MOST_WAITING` it writes the `lost` error
 * instead, to bound memory. Holds only the one it writes, as responses may be large: callers must
 * keep no reference to the other, and `write` must capture neither.
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
