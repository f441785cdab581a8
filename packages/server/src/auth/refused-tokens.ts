/**
 * Logs why tokens of the external issuer are refused, throttled to one line per reason and second.
 */

import { shortHash } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import { createRecent } from '../store/recent.ts'

/** Unverified header and claims of a refused token: attacker-controlled input. */
export interface RefusedToken {
  readonly typ?: unknown
  readonly iss?: unknown
  readonly client?: unknown
}

export type LogRefusedToken = (reason: string, token?: RefusedToken) => void

const EVERY_MS = 1000
/**
 * Reasons are messages of this server and error codes of its libraries, so their number is bounded.
 */
const MOST_REASONS = 200

export function createRefusedTokens(log: Pick<Logger, 'info'>, now: () => number): LogRefusedToken {
  const seen = createRecent<{ readonly at: number; readonly left: number }>(MOST_REASONS)

  return (reason, { typ, iss, client } = {}) => {
    const last = seen.get(reason)
    if (last !== undefined && now() - last.at < EVERY_MS) {
      seen.set(reason, { at: last.at, left: last.left + 1 })
      return
    }
    seen.set(reason, { at: now(), left: 0 })
    const facts = { typ: word(typ), issuer: hashed(iss), client: hashed(client) }
    log.info({ reason, ...facts, ...(last?.left && { alsoRefused: last.left }) }, EVENT)
  }
}

const EVENT = 'access token refused'

function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.+/-]{1,40}$/.test(value) ? value : undefined
}

function hashed(value: unknown): string | undefined {
  return typeof value === 'string' ? shortHash(value) : undefined
}
