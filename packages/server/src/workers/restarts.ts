/** Restart policy of workers: exponential back-off, and the detection of a crash loop. */

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000
/** A worker that ran for this long resets its back-off. */
const HEALTHY_MS = 10_000

/**
 * A crash loop: within this time, more deaths than there are workers, and five at least. So each of
 * many workers may die once, and one of many may die again and again while the others serve.
 */
const DEATHS_WITHIN_MS = 30_000
const LEAST_DEATHS = 5

/** Exponential back-off for each of `workers`. `now` is in milliseconds and monotonic. */
export function createRestarts(workers: number, now: () => number) {
  const crashLoopDeaths = Math.max(LEAST_DEATHS, workers + 1)
  const fails = new Map<number, number>()
  let deaths: readonly number[] = []
  return {
    /** Records a death; returns the delay of the replacement, or `crash loop`. */
    died(worker: number, livedMs: number): number | 'crash loop' {
      const at = now()
      deaths = [...deaths.filter((each) => at - each < DEATHS_WITHIN_MS), at]
      if (deaths.length >= crashLoopDeaths) return 'crash loop'
      const before = livedMs >= HEALTHY_MS ? 0 : (fails.get(worker) ?? 0)
      fails.set(worker, before + 1)
      return Math.min(FIRST_DELAY_MS * 2 ** before, LONGEST_DELAY_MS)
    },
  }
}
