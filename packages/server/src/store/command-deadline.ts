/** Deadlines for work that cannot be cancelled. */

import { setTimeout as sleep } from 'node:timers/promises'

/** Calls `onLate` after `timeoutMs`; `clearTimeout` cancels it. */
export function startDeadline(timeoutMs: number, onLate: () => void): NodeJS.Timeout {
  // The event loop may have been blocked, with the reply already in the socket buffer. Sockets are
  // read before `setImmediate` callbacks, so the reply still wins.
  return setTimeout(() => setImmediate(onLate), timeoutMs)
}

/**
 * The outcome of `work`, or the error that `onLate` returns after `timeoutMs`. A late outcome is
 * ignored; a late failure does not become an unhandled rejection.
 */
export function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  onLate: () => Error,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = startDeadline(timeoutMs, () => reject(onLate()))
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Waits for the work, for at most `ms` milliseconds. */
export async function within(ms: number, work: Promise<void>): Promise<void> {
  const clock = new AbortController()
  const late = sleep(Math.max(0, ms), undefined, { signal: clock.signal }).catch(() => undefined)
  await Promise.race([work, late])
  clock.abort()
}
