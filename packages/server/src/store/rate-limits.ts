/** Counts how often callers come, in windows of a fixed length, for all nodes together. */

import { sha256 } from '../crypto/hash.ts'
import type { Logger } from '../logger.ts'
import { createExpiringMap } from './expiring-map.ts'
import type { Store } from './port.ts'

/** So many calls, or units, in so many seconds. */
export interface Rate {
  readonly calls: number
  readonly perSeconds: number
}

/** Whom a call is counted for. */
export interface Counting {
  /** Names the limit. */
  readonly limit: string
  readonly who: string
  readonly rate: Rate
  /** How many units this counts as; 1 if left out. */
  readonly by?: number
}

/** Where a caller stands in its window, with the call that was just counted. */
export interface Standing {
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
   * Counts a call for everybody named, in one round trip, and tells where they stand. Where somebody
   * is known to be over, nothing is counted: a flood costs the store nothing from then on.
   * Empty where nothing is counted at all.
   * @throws AppError `unavailable` when the store is away
   */
  count(countings: readonly Counting[]): Promise<readonly Standing[]>
  /** Where those stand who are known here to be over; neither counts nor asks the store. */
  over(countings: readonly Counting[]): readonly Standing[]
  close(): void
}

export interface RateLimitDeps {
  readonly store: Pick<Store, 'count'>
  readonly log: Pick<Logger, 'warn'>
  /** Milliseconds that never go back. */
  readonly monotonicNow: () => number
  /** Hears of each call that was one too many, and of which limit. */
  readonly onOver?: (limit: string) => void
}

export interface RateLimitOptions {
  /** False to count nothing. */
  readonly rateLimit: boolean
}

/** For each limit: enough to see it. */
const WARN_EVERY_SECONDS = 60

export function createRateLimits(
  { store, log, monotonicNow, onOver = () => undefined }: RateLimitDeps,
  { rateLimit }: RateLimitOptions,
): RateLimits {
  if (!rateLimit) return { count: async () => [], over: () => [], close: () => undefined }
  /** When the windows of those end who are over. */
  const ends = createExpiringMap<number>(monotonicNow)
  const warned = createExpiringMap<true>(monotonicNow)

  /** Whoever has many addresses must not write the log. */
  function warn(limit: string): void {
    if (warned.get(limit) === true) return
    warned.set(limit, true, WARN_EVERY_SECONDS)
    log.warn({ limit }, 'a caller is over a limit')
  }

  async function countOne(counting: Counting): Promise<Standing> {
    const { limit, rate, by = 1 } = counting
    const key = keyOf(counting)
    const { count, windowLeftMs } = await store.count(key, rate.perSeconds, by)
    const isOver = count > rate.calls
    if (isOver) ends.set(key, monotonicNow() + windowLeftMs, windowLeftMs / 1000)
    if (isOver && count - by <= rate.calls) warn(limit)
    return standingOf(counting, count, windowLeftMs)
  }

  function over(countings: readonly Counting[]): readonly Standing[] {
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
      const standings = await Promise.all(countings.map(countOne))
      for (const { isOver, limit } of standings) if (isOver) onOver(limit)
      return standings
    },
    close() {
      ends.close()
      warned.close()
    },
  }
}

function keyOf({ limit, who }: Counting): string {
  return `rate:${limit}:{${sha256(who)}}`
}

function standingOf({ limit, rate }: Counting, count: number, windowLeftMs: number): Standing {
  return {
    ...{ limit, rate },
    remaining: Math.max(0, rate.calls - count),
    secondsLeft: Math.max(1, Math.ceil(windowLeftMs / 1000)),
    isOver: count > rate.calls,
  }
}
