/** A bounded LRU cache in process memory, for values that can be recomputed. */

/**
 * An approximate LRU cache of up to `most` values in two generations: when the later one holds half
 * of them, it becomes the earlier one, and values that were not used since are evicted. An exact LRU would reorder its
 * entries on each use, which creates long-lived garbage.
 */
export function createRecent<Value>(most: number) {
  const half = Math.ceil(most / 2)
  let latest = new Map<string, Value>()
  let earlier = new Map<string, Value>()

  function set(key: string, value: Value): void {
    latest.set(key, value)
    if (latest.size < half) return
    earlier = latest
    latest = new Map()
  }

  return {
    get(key: string): Value | undefined {
      const value = latest.get(key)
      if (value !== undefined) return value
      const before = earlier.get(key)
      if (before !== undefined) set(key, before)
      return before
    },
    set,
  }
}
