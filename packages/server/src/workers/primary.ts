/**
 * The primary process: starts workers that serve one port, replaces those that die, and serves no
 * requests itself. Node hands connections to the workers in turn.
 */

import type { LoadedConfig } from '../config.ts'
import { openMetricsPort } from '../http/metrics-route.ts'
import type { RootLogger } from '../logger.ts'
import type { Shutdown } from '../process/shutdown.ts'
import { createWorkerMetrics } from '../telemetry/worker-metrics.ts'
import type { ToPrimary } from './ipc.ts'
import { createMetricSum } from './metric-sum.ts'
import { createRestarts } from './restarts.ts'
import { type Ended, startWorker, type WorkerProcess } from './worker-process.ts'

/** Longest graceful shutdown of a worker after STOP_DELAY: it drains calls for 25 s. */
const LONGEST_STOP_MS = 30_000

export interface PrimaryDeps {
  readonly loaded: LoadedConfig
  readonly log: RootLogger
  readonly shutdown: Shutdown
}

/**
 * Starts the first worker, and the others once it serves, so that a failure at start is reported
 * once. Rejects if the port of the metrics is in use.
 */
export async function runPrimary({ loaded, log, shutdown }: PrimaryDeps): Promise<void> {
  const { config } = loaded
  const workers = new Map<number, WorkerProcess>()
  const countReady = () => [...workers.values()].filter(({ isReady }) => isReady()).length
  const metrics = createWorkerMetrics(countReady)
  const sum = createMetricSum(metrics.snapshot)
  const restarts = createRestarts(() => performance.now())
  let hasServed = false
  let isStopping = false

  function start(number: number): WorkerProcess {
    const worker = startWorker(number, (message) => {
      answer(worker, message).catch((error: unknown) =>
        log.warn({ err: error, worker: number }, 'metrics of workers not summed'),
      )
    })
    workers.set(number, worker)
    sum.add(worker)
    void worker.ended.then((ended) => {
      workers.delete(number)
      sum.remove(worker)
      if (isStopping && !ended.isClean) shutdown.failed()
      if (!isStopping) replace(number, ended)
    })
    return worker
  }

  async function answer(worker: WorkerProcess, message: ToPrimary): Promise<void> {
    if (message.type === 'snapshot') sum.answered(worker, message.id, message.snapshot)
    if (message.type !== 'scrape wanted') return
    worker.send({ type: 'scrape', id: message.id, scrape: await sum.scrape() })
  }

  function replace(worker: number, { code, signal, livedMs }: Ended): void {
    metrics.died()
    const delayMs = hasServed ? restarts.died(worker, livedMs) : undefined
    if (typeof delayMs === 'number') {
      log.error({ worker, code, signal, delayMs }, 'worker ended; restarting it')
      setTimeout(() => isStopping || start(worker), delayMs)
      return
    }
    log.fatal({ worker, code, signal }, hasServed ? 'crash loop of workers' : 'no worker started')
    shutdown.failed()
    shutdown.end('workers end')
  }

  const port = config.serves.metrics ? await openMetricsPort(sum, loaded) : undefined
  shutdown.serves(
    async () => {
      isStopping = true
      const longestMs = config.http.stopDelaySeconds * 1000 + LONGEST_STOP_MS
      await Promise.all([...workers.values()].map((worker) => worker.stop(longestMs)))
      port?.close()
    },
    () => {
      for (const worker of workers.values()) worker.kill()
    },
  )
  hasServed = await start(1).started
  if (!hasServed || isStopping) return
  const others = Array.from({ length: config.workers - 1 }, (_, index) => start(index + 2))
  await Promise.all(others.map(({ started }) => started))
  log.info({ workers: config.workers, metricsPort: port?.port }, 'workers ready')
}
