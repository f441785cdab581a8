/** Statistics of samples. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** The range, as a share of the median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** A copy in random order (Fisher–Yates). */
export function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values]
  const mixed: T[] = []
  while (left.length > 0) {
    mixed.push(...left.splice(Math.floor(Math.random() * left.length), 1))
  }
  return mixed
}
