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
 * Error codes that say "not now" or "not here": a replica, a server that is loading, full, failing
 * over or configured otherwise. Scripts on Redis 6 put their own text in front of the code.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const UNAVAILABLE_CODES =
  /(?:^|-)(?:READONLY|LOADING|OOM|MISCONF|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|CROSSSLOT|NOREPLICAS|UNBLOCKED|NOAUTH|NOPERM|WRONGPASS|DENIED)\b/

/** A command of ours that this server, proxy or user does not have; so is its use in a script. */
const COMMAND_MISSING =
  /unknown (?:redis |sub)?command|unsupported command|command is not (?:available|supported|allowed)/i

/** A command or a key that the user may not use in a script, in the words of Redis 6 and 7. */
const REFUSED_IN_SCRIPT =
  /ACL failure in script|executing the script can't (?:run this command|access at least one)/

/** A command that the server does not have, or that was renamed. */
export function isCommandMissing({ message }: ErrorReply): boolean {
  return COMMAND_MISSING.test(message)
}

/** A command or key that the server's access control list refuses to this user. */
export function isNotPermitted({ message }: ErrorReply): boolean {
  return /(?:^|-)NOPERM\b/.test(message) || REFUSED_IN_SCRIPT.test(message)
}

/**
 * Failures of the connection, and answers that any command of ours may get from a server that is
 * not the right one, become `unavailable`; other answers pass as they are.
 */
export function toStoreError(error: unknown): unknown {
  if (error instanceof AppError) return error
  if (!(error instanceof ErrorReply)) return storeUnavailable(error)
  return isUnavailable(error) ? storeUnavailable(withoutArguments(error)) : error
}

/** Redis repeats the arguments of a command that it does not know: keys and values, not for the log. */
function withoutArguments(error: ErrorReply): ErrorReply {
  const [message = ''] = error.message.split(', with args beginning with', 1)
  return message === error.message ? error : new ErrorReply(message)
}

function isUnavailable(error: ErrorReply): boolean {
  return UNAVAILABLE_CODES.test(error.message) || isCommandMissing(error) || isNotPermitted(error)
}

/** The server became a replica: the address may lead to the new primary when it is asked again. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof ErrorReply && /(?:^|-)READONLY\b/.test(error.message)
}

/** The command was not answered, or not even written, in time. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DeadlineError || error instanceof TimeoutError
}
