/** Histograms that are counted in arrays, and copied when Prometheus asks. */

import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client'

export interface HistogramOptions {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** Upper bounds, in order. */
  readonly buckets: readonly number[]
}

/** The observations of one combination of labels. */
interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** By bucket; the last one has what is above all bounds. */
  readonly counts: Float64Array
  sum: number
}

/** `observe` takes the values of the labels in the order of `labelNames`. */
export interface Histogram {
  observe(value: number, first: string, second?: string, third?: string): void
}

export function createHistogram(registry: Registry, options: HistogramOptions): Histogram {
  const { name, help, labelNames, buckets } = options
  const all = new Map<string, Series>()

  function seriesOf(key: string, values: readonly (string | undefined)[]): Series {
    const labels = Object.fromEntries(labelNames.map((label, at) => [label, values[at] ?? '']))
    const series = { labels, counts: new Float64Array(buckets.length + 1), sum: 0 }
    all.set(key, series)
    return series
  }

  registry.registerMetric({
    name,
    async get() {
      const values = [...all.values()].flatMap((series) => valuesOf(name, buckets, series))
      return { name, help, type: 'histogram', aggregator: 'sum', values }
    },
    reset: () => all.clear(),
  } as never)

  return {
    observe(value, first, second = '', third = '') {
      const key = `${first}\n${second}\n${third}`
      const series = all.get(key) ?? seriesOf(key, [first, second, third])
      let at = 0
      while (at < buckets.length && value > (buckets[at] ?? 0)) at += 1
      series.counts[at] = (series.counts[at] ?? 0) + 1
      series.sum += value
    },
  }
}

type Values = MetricObjectWithValues<MetricValue<string> & { metricName: string }>['values']

/** In Prometheus a bucket has all that is in the smaller ones, too. */
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
