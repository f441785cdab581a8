/** Logs why tokens of an external issuer are refused. */

import { decodeJwt, decodeProtectedHeader, errors } from 'jose'
import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import { createLruCache } from '../store/lru-cache.ts'
import { TokenRefused } from './token-rules.ts'

export type LogRefusedToken = (token: string, reason: string) => void

const LOG_INTERVAL_MS = 1000
/**
 * Reasons are messages of this server and error codes of its libraries, so their number is bounded.
 */
const MOST_REASONS = 200

/** Throttled to one line per reason and second. */
export function createRefusedTokens(log: Pick<Logger, 'info'>, now: () => number): LogRefusedToken {
  const seen = createLruCache<{ readonly at: number; readonly left: number }>(MOST_REASONS)

  return (token, reason) => {
    const last = seen.get(reason)
    if (last !== undefined && now() - last.at < LOG_INTERVAL_MS) {
      seen.set(reason, { at: last.at, left: last.left + 1 })
      return
    }
    seen.set(reason, { at: now(), left: 0 })
    const { typ, iss, client } = unverifiedFacts(token)
    const facts = { typ: word(typ), issuer: hashed(iss), client: hashed(client) }
    log.info(
      { reason, ...facts, ...(last?.left && { alsoRefused: last.left }) },
      'access token refused',
    )
  }
}

/** Our own message, or the library's error code with the claim that it concerns. */
export function reasonOf(error: unknown): string {
  if (error instanceof TokenRefused) return error.message
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return `${error.code} ${error.claim}: ${error.reason}`
  }
  return error instanceof errors.JOSEError ? error.code : 'malformed'
}

/** Unverified header and claims of a refused token: attacker-controlled input. */
interface RefusedToken {
  readonly typ?: unknown
  readonly iss?: unknown
  readonly client?: unknown
}

/** The token's header and claims, unverified, for the log. */
function unverifiedFacts(token: string): RefusedToken {
  try {
    const { iss, azp, client_id: client = azp } = decodeJwt(token)
    return { typ: decodeProtectedHeader(token).typ, iss, client }
  } catch {
    return {}
  }
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.+/-]{1,40}$/.test(value) ? value : undefined
}

function hashed(value: unknown): string | undefined {
  return typeof value === 'string' ? shortHash(value) : undefined
}
