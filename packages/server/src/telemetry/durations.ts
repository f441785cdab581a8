/**
 * Durations of requests, calls and commands to the store: counted in arrays and plain numbers, and
 * converted for prom-client only when Prometheus scrapes.
 */

import { Gauge, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client'

/** Buckets for tools and requests: from a few milliseconds to the default time limit of a tool. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Buckets for the store, which normally answers in less than a millisecond. */
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]

const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
])

const CLASSES = ['', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

export function createDurations(registry: Registry) {
  return { ...ofRequests(registry), ...ofCalls(registry), ...ofStore(registry) }
}

function ofRequests(registry: Registry) {
  const requests = createHistogram(registry, {
    name: 'mcp_http_request_duration_seconds',
    help: 'Requests until their response was sent, by method, route and class of status. Excludes streams that clients listen to.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
  })
  return {
    request(method: string, route: string, status: number, seconds: number) {
      const known = METHODS.has(method) ? method : 'other'
      requests.observe(seconds, known, route, CLASSES[Math.floor(status / 100)] ?? 'other')
    },
  }
}

function ofCalls(registry: Registry) {
  const tools = createHistogram(registry, {
    name: 'mcp_tool_call_duration_seconds',
    help: 'Tool calls, by tool and outcome: ok, input_required, or the code of the error.',
    labelNames: ['tool', 'outcome'],
    buckets: SECONDS,
  })
  const reads = createHistogram(registry, {
    name: 'mcp_resource_read_duration_seconds',
    help: 'Resource reads, by resource and outcome: ok, input_required, or the code of the error.',
    labelNames: ['resource', 'outcome'],
    buckets: SECONDS,
  })
  const prompts = createHistogram(registry, {
    name: 'mcp_prompt_duration_seconds',
    help: 'Prompts, by prompt and outcome: ok, input_required, or the code of the error.',
    labelNames: ['prompt', 'outcome'],
    buckets: SECONDS,
  })
  const running = countedGauge('mcp_tool_calls_running', 'Tool calls that are running.', registry)
  return {
    toolStarted: () => running.change(1),
    toolEnded(tool: string, outcome: string, seconds: number) {
      running.change(-1)
      tools.observe(seconds, tool, outcome)
    },
    toolUnknown: () => tools.observe(0, 'unknown', 'unknown_tool'),
    readEnded(resource: string, outcome: string, seconds: number) {
      reads.observe(seconds, resource, outcome)
    },
    promptEnded(prompt: string, outcome: string, seconds: number) {
      prompts.observe(seconds, prompt, outcome)
    },
  }
}

function ofStore(registry: Registry) {
  const commands = createHistogram(registry, {
    name: 'mcp_store_command_duration_seconds',
    help: 'Commands to the store, failed ones included, by command.',
    labelNames: ['command'],
    buckets: STORE_SECONDS,
  })
  return { storeCommand: commands.observe }
}

/** A gauge with a plain number that is read only on scrape. */
function countedGauge(name: string, help: string, registry: Registry) {
  let value = 0
  new Gauge({
    ...{ name, help, registers: [registry] },
    collect() {
      this.set(value)
    },
  })
  return {
    change(by: 1 | -1): void {
      value += by
    },
  }
}

interface HistogramOptions {
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

function createHistogram(registry: Registry, options: HistogramOptions) {
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
