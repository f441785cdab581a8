/** Metrics of the primary process: the state of its workers. */

import { Counter, Gauge, Registry } from 'prom-client'
import type { MetricSnapshot } from './metrics.ts'

/** `countReady` returns the number of workers that serve requests. */
export function createWorkerMetrics(countReady: () => number) {
  const registry = new Registry()
  const registers = [registry]
  new Gauge({
    name: 'mcp_workers_ready',
    help: 'Workers that serve now.',
    registers,
    collect() {
      this.set(countReady())
    },
  })
  const deaths = new Counter({
    name: 'mcp_worker_deaths_total',
    help: 'Workers that ended although nobody stopped them.',
    registers,
  })
  return {
    died: () => deaths.inc(),
    snapshot: async () => (await registry.getMetricsAsJSON()) as unknown as MetricSnapshot,
  }
}
