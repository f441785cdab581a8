/** Times-to-live as the drivers need them. */

/**
 * Whole milliseconds, at least 1.
 * @throws RangeError unless the time is positive and finite: every key expires
 */
export function toMilliseconds(ttlSeconds: number): number {
  if (!(ttlSeconds > 0) || !Number.isFinite(ttlSeconds)) {
    throw new RangeError('A time-to-live must be a positive number of seconds.')
  }
  return Math.ceil(ttlSeconds * 1000)
}
