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
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    // After a busy spell the answer may be waiting in the socket: sockets are read before immediates.
    timer = setTimeout(() => setImmediate(() => reject(onLate())), timeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
