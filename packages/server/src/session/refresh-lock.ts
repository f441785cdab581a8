/** The lock under which one node at a time renews the credentials of a session. */

import type { Logger } from '../logger.ts'
import type { Lock } from '../store/port.ts'

/** Lock expiry if its holder crashes; a live holder renews the lock. */
export const LOCK_SECONDS = 3
const LOCK_EXTEND_MS = 1000
/** How long other callers wait for the lock's holder. */
export const WAIT_MS = 12_000
export const POLL_MS = 100

/** One lock per upstream, so that tokens of two upstreams are renewed concurrently. */
export function lockKey(sessionId: string, upstream: string | undefined): string {
  const key = `{${sessionId}}:refresh`
  return upstream === undefined ? key : `${key}:${upstream}`
}

/** Runs the work while extending the lock, then releases the lock. */
export async function holding<Result>(
  lock: Lock,
  log: Pick<Logger, 'warn' | 'debug'>,
  work: () => Promise<Result>,
): Promise<Result> {
  const extending = setInterval(() => {
    lock
      .extend(LOCK_SECONDS)
      .catch((error: unknown) => log.warn({ err: error }, 'refresh lock lost'))
  }, LOCK_EXTEND_MS)
  try {
    return await work()
  } finally {
    clearInterval(extending)
    await lock
      .release()
      .catch((error: unknown) =>
        log.debug({ err: error }, 'lock not released; it expires by itself'),
      )
  }
}
