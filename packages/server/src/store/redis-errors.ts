/** Classifies failures of Redis: unavailable, or a programming error. */

import { ErrorReply, TimeoutError } from '@redis/client'
import { AppError, storeUnavailable } from '../errors.ts'

/** Redis missed the deadline. The command may still run. */
class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

export function deadlineMissed(): Error {
  return new DeadlineError('Redis did not answer in time.')
}

/**
 * Error codes of a server that cannot serve now: a replica, or one that is loading, full, failing
 * over or misconfigured. Scripts on Redis 6 put text before the code.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const UNAVAILABLE_CODES =
  /(?:^|-)(?:READONLY|LOADING|OOM|MISCONF|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|CROSSSLOT|NOREPLICAS|UNBLOCKED|NOAUTH|NOPERM|WRONGPASS|DENIED)\b/

/** Codes of a wrong command. Servers and proxies have others, or none, where they cannot serve. */
const COMMAND_CODES = /^-?(?:ERR|WRONGTYPE|NOSCRIPT)\b/

/**
 * Errors with the code of a wrong command that are none: a limit of the server or the plan, a script
 * that an operator ended, a proxy that lost its server.
 */
const UNAVAILABLE_TEXTS =
  /\bmax .*(?:exceeded|reached)|script killed by user|^ERR (?:connection (?:refused|reset|timed out)|host is down)/i

/** A command that this server, proxy or user lacks, also inside a script. */
const COMMAND_MISSING =
  /unknown (?:redis |sub)?command|unsupported command|command is not (?:available|supported|allowed)/i

/** NOPERM inside a script, as worded by Redis 6 and 7. */
const REFUSED_IN_SCRIPT =
  /ACL failure in script|executing the script can't (?:run this command|access at least one)/

/** An unknown or renamed command. */
export function isCommandMissing({ message }: ErrorReply): boolean {
  return COMMAND_MISSING.test(message)
}

/** A command or key that the ACL denies to this user. */
export function isNotPermitted({ message }: ErrorReply): boolean {
  return /(?:^|-)NOPERM\b/.test(message) || REFUSED_IN_SCRIPT.test(message)
}

/**
 * Maps connection failures, and error replies of a server that cannot serve, to `unavailable`; passes
 * other error replies through.
 */
export function toStoreError(error: unknown): unknown {
  if (error instanceof AppError) return error
  if (!(error instanceof ErrorReply)) return storeUnavailable(error)
  return isUnavailable(error) ? storeUnavailable(withoutArguments(error)) : error
}

/**
 * Redis echoes the arguments of an unknown command, also of HELLO and AUTH; passwords, keys and values
 * must not reach the log.
 */
export function withoutArguments(error: unknown): unknown {
  if (!(error instanceof ErrorReply)) return error
  const [message = ''] = error.message.split(', with args beginning with', 1)
  return message === error.message ? error : new ErrorReply(message)
}

function isUnavailable(error: ErrorReply): boolean {
  const { message } = error
  if (!COMMAND_CODES.test(message) || UNAVAILABLE_CODES.test(message)) return true
  return UNAVAILABLE_TEXTS.test(message) || isCommandMissing(error) || isNotPermitted(error)
}

/** The server became a replica: resolving the address again may lead to the new primary. */
export function isReplica(error: unknown): boolean {
  return (
    error instanceof ErrorReply && /(?:^|-)(?:READONLY|MASTERDOWN|UNBLOCKED)\b/.test(error.message)
  )
}

/** The server reads its data. */
export function isLoading(error: unknown): boolean {
  return /^LOADING\b/.test(replyOf(error)?.message ?? '')
}

/** The connection is not authenticated, or no longer: its token has expired. */
export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ErrorReply && /(?:^|-)(?:NOAUTH|WRONGPASS)\b/.test(error.message)
}

/** RESP 3 is refused: by a proxy without HELLO, or a server before Redis 6. */
export function isHelloRefused(error: unknown): boolean {
  return (
    error instanceof ErrorReply &&
    (/^(?:-|ERR )?NOPROTO\b/.test(error.message) ||
      (isCommandMissing(error) && /hello/i.test(error.message)))
  )
}

/** Another server has the slot (`MOVED`), or has this key already (`ASK`). */
export interface Redirect {
  readonly kind: 'MOVED' | 'ASK'
  readonly slot: number
  /** Empty for the host that was asked; `?` if the target has no host name. */
  readonly host: string
  readonly port: number
}

const REDIRECT = /^(MOVED|ASK) (\d+) (.*):(\d+)$/

/** @param error of a command, or the reply it was made of */
export function redirectOf(error: unknown): Redirect | undefined {
  const [, kind, slot, host = '', port] = REDIRECT.exec(replyOf(error)?.message ?? '') ?? []
  if (kind !== 'MOVED' && kind !== 'ASK') return undefined
  return { kind, slot: Number(slot), host, port: Number(port) }
}

/** The error reply of Redis, if there is one. */
export function replyOf(error: unknown): ErrorReply | undefined {
  const cause = error instanceof AppError ? error.cause : error
  return cause instanceof ErrorReply ? cause : undefined
}

/** The command was not written, or got no reply, within its deadline. */
export function isTimeout(error: unknown): boolean {
  return error instanceof DeadlineError || error instanceof TimeoutError
}
