/** What was used last, in this process: for what can be worked out again, and costs something. */

/**
 * Holds so many values at most. What was not used for as long as it takes to use half as many others
 * makes room, all of it at once: to put each value last when it is used is 1 µs, and garbage that
 * lasts (`src/http/running-responses.ts`).
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
