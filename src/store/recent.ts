/** What was used last, in this process: for what can be worked out again, and costs something. */

export interface Recent<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
}

/** Holds so many values at most; the one used longest ago makes room. */
export function createRecent<Value>(most: number): Recent<Value> {
  const values = new Map<string, Value>()

  function set(key: string, value: Value): void {
    // Put last again, so that the first one is the one used longest ago.
    values.delete(key)
    values.set(key, value)
    if (values.size <= most) return
    const [oldest] = values.keys()
    if (oldest !== undefined) values.delete(oldest)
  }

  return {
    get(key) {
      const value = values.get(key)
      if (value !== undefined) set(key, value)
      return value
    },
    set,
  }
}
