/**
 * An LRU cache in process memory, for values that can be recomputed. It is approximate, in two
 * generations: an exact one reorders its entries on each use, which creates long-lived garbage.
 */

/**
 * Caches at most `most` values. When the later generation holds half of them, it becomes the
 * earlier one; values of the generation before it that were not used since are evicted.
 */
export function createLruCache<Value>(most: number) {
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
