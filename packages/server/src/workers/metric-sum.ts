/** Aggregates the metrics of all workers into those of one node. */

import { setTimeout as delay } from 'node:timers/promises'
import { AggregatorRegistry } from 'prom-client'
import type { MetricSnapshot, Scrape } from '../telemetry/metrics.ts'
import type { ToWorker } from './ipc.ts'

/** Maximum wait for a worker; a scrape then has its previous values. */
const LONGEST_MS = 2000

/** A worker that is asked for its metrics. */
export interface Source {
  send(message: ToWorker): void
}

/** `own` returns the metrics of the primary itself. */
export function createMetricSum(own: () => Promise<MetricSnapshot>) {
  const latest = new Map<Source, MetricSnapshot>()
  /** Those that did not answer the last scrape. */
  const silent = new Set<Source>()
  /** Counters of dead workers: a sum that falls would look like a restart of the node. */
  let retired: Promise<MetricSnapshot> = Promise.resolve([])
  const waiting = new Map<number, () => void>()
  let count = 0

  async function ask(source: Source): Promise<void> {
    count += 1
    const id = count
    const clock = new AbortController()
    const answered = new Promise<void>((resolve) => waiting.set(id, resolve))
    source.send({ type: 'snapshot wanted', id })
    const late = delay(LONGEST_MS, undefined, { signal: clock.signal }).catch(() => undefined)
    await Promise.race([answered, late])
    clock.abort()
    if (!waiting.delete(id)) silent.delete(source)
    else if (latest.has(source)) silent.add(source)
  }

  return {
    add(source: Source): void {
      latest.set(source, [])
    },
    /** Without a snapshot, the previous one of the source is used. */
    answered(source: Source, id: number, snapshot: MetricSnapshot | undefined): void {
      if (snapshot !== undefined && latest.has(source)) latest.set(source, snapshot)
      const resolve = waiting.get(id)
      waiting.delete(id)
      resolve?.()
    },
    /** Whether a source did not answer the last scrape in time: its event loop is blocked. */
    isSilent: (source: Source): boolean => silent.has(source),
    remove(source: Source): void {
      const counters = (latest.get(source) ?? []).filter(({ type }) => type !== 'gauge')
      latest.delete(source)
      silent.delete(source)
      retired = retired.then((before) => snapshotOf(sum([before, counters])))
    },
    async scrape(): Promise<Scrape> {
      await Promise.all([...latest.keys()].map(ask))
      const registry = sum([...latest.values(), await retired, await own()])
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

/** Aggregates each metric by its `aggregator`; most are summed. */
function sum(snapshots: readonly MetricSnapshot[]) {
  return AggregatorRegistry.aggregate([...snapshots])
}

async function snapshotOf(registry: ReturnType<typeof sum>): Promise<MetricSnapshot> {
  return (await registry.getMetricsAsJSON()) as unknown as MetricSnapshot
}
