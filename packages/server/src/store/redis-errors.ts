/** Which failures of Redis mean that the store is away, and which are mistakes of ours. */

import { ErrorReply, TimeoutError } from '@redis/client'
import { AppError, storeUnavailable } from '../errors.ts'

/** Redis did not answer within our deadline. The command may still run. */
class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

export function deadlineMissed(): Error {
  return new DeadlineError('Redis did not answer in time.')
}

/**
 * Answers that say "not now" or "not here": a replica, a server that is loading, full, failing over
 * or configured otherwise. Scripts on Redis 6 put their own text in front of the code.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const AWAY =
  /(?:^|-)(?:READONLY|LOADING|OOM|MISCONF|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOREPLICAS|NOAUTH|NOPERM|WRONGPASS)\b/

/** Every failure of the connection becomes `unavailable`; other answers pass as they are. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof AppError) return error
  if (error instanceof ErrorReply && !AWAY.test(error.message)) return error
  return storeUnavailable(error)
}

/** The server became a replica: the address may lead to the new primary when it is asked again. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof ErrorReply && /(?:^|-)READONLY\b/.test(error.message)
}

/** The command was not answered, or not even written, in time. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DeadlineError || error instanceof TimeoutError
}
