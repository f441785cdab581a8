/** Rate limits in fixed windows, shared by all nodes; their response headers and the 429 error. */

import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createExpiringMap } from './expiring-map.ts'
import type { Store } from './port.ts'

/** A number of calls, or units, per number of seconds. */
export interface Rate {
  readonly calls: number
  readonly perSeconds: number
}

/** What a call is counted against. */
export interface Counting {
  /** Names the limit. */
  readonly limit: string
  readonly who: string
  /** The caller's session, whose hash slot the counter shares: it needs no other shard then. */
  readonly sessionId?: string
  readonly rate: Rate
  /** The units this call counts as; default 1. */
  readonly by?: number
}

/** The state of a caller's window, including the call just counted. */
export interface RateLimitState {
  readonly limit: string
  readonly rate: Rate
  readonly remaining: number
  /** Whole seconds until the window ends; at least 1. */
  readonly secondsLeft: number
  /** Whether the limit is exceeded. */
  readonly isOver: boolean
}

export interface RateLimits {
  /**
   * Counts a call against each of the given limits, in one round trip, and returns their states. A
   * limit that this node knows to be exceeded is not counted, so that a flood costs the store nothing.
   * Empty when rate limits are off.
   * @throws AppError `unavailable` when the store is unavailable
   */
  count(countings: readonly Counting[]): Promise<readonly RateLimitState[]>
  /** The states of limits that this node knows to be exceeded. Neither counts nor reads the store. */
  over(countings: readonly Counting[]): readonly RateLimitState[]
  close(): void
}

interface RateLimitDeps {
  readonly store: Pick<Store, 'count'>
  readonly log: Pick<Logger, 'warn'>
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
  /** Called with the name of the limit for each call that exceeds it. */
  readonly onOver?: (limit: string) => void
}

export interface RateLimitOptions {
  /** False turns rate limits off. */
  readonly rateLimit: boolean
}

/** Log lines per limit and window. */
const WARN_EVERY_SECONDS = 60

export function createRateLimits(
  { store, log, monotonicNow, onOver = () => undefined }: RateLimitDeps,
  { rateLimit }: RateLimitOptions,
): RateLimits {
  if (!rateLimit) return { count: async () => [], over: () => [], close: () => undefined }
  /** When the window of each exceeded limit ends. */
  const ends = createExpiringMap<number>(monotonicNow)
  const warned = createExpiringMap<true>(monotonicNow)

  /** Bounds log lines: a caller with many addresses must not flood the log. */
  function warn(limit: string): void {
    if (warned.get(limit) === true) return
    warned.set(limit, true, WARN_EVERY_SECONDS)
    log.warn({ limit }, 'rate limit exceeded')
  }

  async function countOne(counting: Counting): Promise<RateLimitState> {
    const { limit, rate, by = 1 } = counting
    const key = keyOf(counting)
    const { count, windowLeftMs } = await store.count(key, rate.perSeconds, by)
    const isOver = count > rate.calls
    if (isOver) ends.set(key, monotonicNow() + windowLeftMs, windowLeftMs / 1000)
    if (isOver && count - by <= rate.calls) warn(limit)
    return standingOf(counting, count, windowLeftMs)
  }

  function over(countings: readonly Counting[]): readonly RateLimitState[] {
    return countings.flatMap((counting) => {
      const end = ends.get(keyOf(counting))
      if (end === undefined) return []
      onOver(counting.limit)
      return [standingOf(counting, counting.rate.calls + 1, end - monotonicNow())]
    })
  }

  return {
    over,
    async count(countings) {
      const known = over(countings)
      if (known.length > 0) return known
      const limitStates = await Promise.all(countings.map(countOne))
      for (const { isOver, limit } of limitStates) if (isOver) onOver(limit)
      return limitStates
    },
    close() {
      ends.close()
      warned.close()
    },
  }
}

function keyOf({ limit, who, sessionId }: Counting): string {
  const hash = sha256(who)
  return `rate:${limit}:${sessionId === undefined ? `{${hash}}` : `{${sessionId}}:${hash}`}`
}

function standingOf(
  { limit, rate }: Counting,
  count: number,
  windowLeftMs: number,
): RateLimitState {
  return {
    ...{ limit, rate },
    remaining: Math.max(0, rate.calls - count),
    secondsLeft: Math.max(1, Math.ceil(windowLeftMs / 1000)),
    isOver: count > rate.calls,
  }
}

/** Response headers exposed through CORS. */
export const RATE_LIMIT_HEADERS = ['RateLimit', 'RateLimit-Policy', 'Retry-After'] as const

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4, as lists of strings
 * with parameters (RFC 9651): `RateLimit-Policy` has quota and window, `RateLimit` the remaining
 * units and the seconds until reset.
 */
export function rateLimitHeaders(limitStates: readonly RateLimitState[]): Record<string, string> {
  if (limitStates.length === 0) return {}
  const policies = limitStates.map(
    ({ limit, rate }) => `"${limit}";q=${rate.calls};w=${rate.perSeconds}`,
  )
  const left = limitStates.map(
    ({ limit, remaining, secondsLeft }) => `"${limit}";r=${remaining};t=${secondsLeft}`,
  )
  return { 'ratelimit-policy': policies.join(', '), ratelimit: left.join(', ') }
}

/** @throws AppError `too_many_requests` if any limit is exceeded; retry after the longest wait */
export function refuseIfOver(limitStates: readonly RateLimitState[]): void {
  const over = limitStates.filter(({ isOver }) => isOver)
  if (over.length === 0) return
  const seconds = Math.max(...over.map(({ secondsLeft }) => secondsLeft))
  throw new AppError('too_many_requests', `Too many requests. Try again in ${seconds} seconds.`, {
    retryAfterSeconds: seconds,
  })
}
