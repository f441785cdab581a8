/** Histograms that count in arrays and convert only when Prometheus scrapes. */

import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client'

export interface HistogramOptions {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** Upper bounds, in ascending order. */
  readonly buckets: readonly number[]
}

/** The observations of one combination of labels. */
interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Counts per bucket; the last one is above all bounds. */
  readonly counts: Float64Array
  sum: number
}

/** A nested map by label: a combined key would allocate a string per observation. */
type ByLabel = Map<string, ByLabel | Series>

export function createHistogram(registry: Registry, options: HistogramOptions) {
  const { name, help, labelNames, buckets } = options
  const all: Series[] = []
  const byLabel: ByLabel = new Map()

  function add(values: readonly string[]): Series {
    const labels = Object.fromEntries(labelNames.map((label, at) => [label, values[at] ?? '']))
    const series = { labels, counts: new Float64Array(buckets.length + 1), sum: 0 }
    all.push(series)
    let level = byLabel
    for (const value of values.slice(0, -1)) {
      const next = (level.get(value) ?? new Map()) as ByLabel
      level.set(value, next)
      level = next
    }
    level.set(values.at(-1) ?? '', series)
    return series
  }

  const find = (level: ByLabel | undefined, value: string) =>
    level?.get(value) as ByLabel | undefined

  registry.registerMetric({
    name,
    async get() {
      const values = all.flatMap((series) => valuesOf(name, buckets, series))
      return { name, help, type: 'histogram', aggregator: 'sum', values }
    },
    reset() {
      all.length = 0
      byLabel.clear()
    },
  } as never)

  return {
    /** Takes label values in the order of `labelNames`. */
    observe(value: number, first: string, second = '', third = ''): void {
      const found = find(find(byLabel, first), second)?.get(third) as Series | undefined
      const series = found ?? add([first, second, third])
      let at = 0
      while (at < buckets.length && value > (buckets[at] ?? 0)) at += 1
      series.counts[at] = (series.counts[at] ?? 0) + 1
      series.sum += value
    },
  }
}

type Values = MetricObjectWithValues<MetricValue<string> & { metricName: string }>['values']

/** Prometheus buckets are cumulative. */
function valuesOf(
  name: string,
  buckets: readonly number[],
  { labels, counts, sum }: Series,
): Values {
  let count = 0
  const values: Values = []
  for (const [at, bound] of [...buckets, '+Inf' as const].entries()) {
    count += counts[at] ?? 0
    values.push({ metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: count })
  }
  values.push({ metricName: `${name}_sum`, labels, value: sum })
  values.push({ metricName: `${name}_count`, labels, value: count })
  return values
}
