/** Bounds the time that somebody waits for work which cannot be cancelled. */

/**
 * The outcome of `work`, or the failure made by `onLate` after `timeoutMs`. A late outcome is
 * ignored; a late failure does not become an unhandled rejection.
 */
export function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  onLate: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // After a busy spell the answer may be waiting in the socket: sockets are read before immediates.
    const timer = setTimeout(() => setImmediate(() => reject(onLate())), timeoutMs)
    work.then(
      (outcome) => {
        clearTimeout(timer)
        resolve(outcome)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
