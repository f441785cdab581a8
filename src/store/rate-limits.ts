/** Counts how often callers come, in windows of a fixed length, for all nodes together. */

import { sha256 } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import { createExpiringMap } from './expiring-map.ts'
import type { Store } from './port.ts'

/** So many calls in so many seconds. */
export interface Rate {
  readonly calls: number
  readonly perSeconds: number
}

/** Where a caller stands in its window, with the call that was just counted. */
export interface Standing {
  /** Names the limit. */
  readonly limit: string
  readonly rate: Rate
  readonly remaining: number
  /** Until counting begins anew: whole seconds, at least 1. */
  readonly secondsLeft: number
  /** Whether this was one too many. */
  readonly isOver: boolean
}

export interface RateLimits {
  /**
   * Counts one more of `who`, for the limit of this name. Undefined where nothing is counted.
   * @throws AppError `unavailable` when the store is away
   */
  count(limit: string, who: string, rate: Rate): Promise<Standing | undefined>
  close(): void
}

export interface RateLimitDeps {
  readonly store: Pick<Store, 'count'>
  readonly log: Pick<Logger, 'warn'>
  /** Milliseconds that never go back. */
  readonly monotonicNow: () => number
}

export interface RateLimitOptions {
  /** False to count nothing. */
  readonly rateLimit: boolean
}

/** Who is over a limit is refused without asking the store again, until the window is over. */
export function createRateLimits(
  { store, log, monotonicNow }: RateLimitDeps,
  { rateLimit }: RateLimitOptions,
): RateLimits {
  if (!rateLimit) return { count: async () => undefined, close: () => undefined }
  const closedUntil = createExpiringMap<number>(monotonicNow)

  return {
    async count(limit, who, rate) {
      const key = `rate:${limit}:{${sha256(who)}}`
      const end = closedUntil.get(key)
      if (end !== undefined) return standingOf(limit, rate, rate.calls + 1, end - monotonicNow())
      const { count, windowLeftMs } = await store.count(key, rate.perSeconds)
      if (count > rate.calls) {
        closedUntil.set(key, monotonicNow() + windowLeftMs, windowLeftMs / 1000)
      }
      // One line a window is enough to see it.
      if (count === rate.calls + 1) log.warn({ limit }, 'a caller is over a limit')
      return standingOf(limit, rate, count, windowLeftMs)
    },
    close: closedUntil.close,
  }
}

function standingOf(limit: string, rate: Rate, count: number, windowLeftMs: number): Standing {
  return {
    ...{ limit, rate },
    remaining: Math.max(0, rate.calls - count),
    secondsLeft: Math.max(1, Math.ceil(windowLeftMs / 1000)),
    isOver: count > rate.calls,
  }
}
