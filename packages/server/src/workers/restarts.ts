/** Restart policy of workers: exponential back-off, and the detection of a crash loop. */

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000
/** A worker that ran for this long resets its back-off. */
const HEALTHY_MS = 10_000

/** A crash loop: this number of deaths among all workers within this time. */
const MOST_DEATHS = 5
const DEATHS_WITHIN_MS = 30_000

/** Exponential back-off for each worker. `now` is in milliseconds and monotonic. */
export function createRestarts(now: () => number) {
  const fails = new Map<number, number>()
  let deaths: readonly number[] = []
  return {
    /** Records a death; returns the delay of the replacement, or `crash loop`. */
    died(worker: number, livedMs: number): number | 'crash loop' {
      const at = now()
      deaths = [...deaths.filter((each) => at - each < DEATHS_WITHIN_MS), at]
      if (deaths.length >= MOST_DEATHS) return 'crash loop'
      const before = livedMs >= HEALTHY_MS ? 0 : (fails.get(worker) ?? 0)
      fails.set(worker, before + 1)
      return Math.min(FIRST_DELAY_MS * 2 ** before, LONGEST_DELAY_MS)
    },
  }
}
