/**
 * The primary process (supervisor): starts workers that serve one port, replaces those that die, and
 * serves no requests itself. Node distributes connections to the workers round-robin.
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
  const pool = new WorkerPool(log, shutdown)
  const port = config.serves.metrics ? await openMetricsPort(pool.metrics, loaded) : undefined
  shutdown.serves(
    async () => {
      await pool.stop(config.http.stopDelaySeconds * 1000 + LONGEST_STOP_MS)
      port?.close()
    },
    () => pool.kill(),
  )
  if (!(await pool.start(config.workers))) return
  log.info({ workers: config.workers, metricsPort: port?.port }, 'workers ready')
}

/** The workers by number, replaced when they die, and the sum of their metrics. */
class WorkerPool {
  readonly metrics: ReturnType<typeof createMetricSum>
  readonly #log: RootLogger
  readonly #shutdown: Shutdown
  readonly #workers = new Map<number, WorkerProcess>()
  readonly #counts = createWorkerMetrics(() => this.#countReady())
  readonly #restarts = createRestarts(() => performance.now())
  #hasServed = false
  #isStopping = false

  constructor(log: RootLogger, shutdown: Shutdown) {
    this.#log = log
    this.#shutdown = shutdown
    this.metrics = createMetricSum(this.#counts.snapshot)
  }

  /** Starts `count` workers. False if the first one failed, or the pool is stopped meanwhile. */
  async start(count: number): Promise<boolean> {
    this.#hasServed = await this.#startOne(1).started
    if (!this.#hasServed || this.#isStopping) return false
    const others = Array.from({ length: count - 1 }, (_, index) => this.#startOne(index + 2))
    await Promise.all(others.map(({ started }) => started))
    return true
  }

  async stop(longestMs: number): Promise<void> {
    this.#isStopping = true
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop(longestMs)))
  }

  kill(): void {
    for (const worker of this.#workers.values()) worker.kill()
  }

  #countReady(): number {
    return [...this.#workers.values()].filter(({ isReady }) => isReady()).length
  }

  #startOne(number: number): WorkerProcess {
    const worker = startWorker(number, (message) => {
      this.#answer(worker, message).catch((error: unknown) =>
        this.#log.warn({ err: error, worker: number }, 'metrics of workers not summed'),
      )
    })
    this.#workers.set(number, worker)
    this.metrics.add(worker)
    void worker.ended.then((ended) => {
      this.#workers.delete(number)
      this.metrics.remove(worker)
      if (this.#isStopping && !ended.isClean) this.#shutdown.failed()
      if (!this.#isStopping) this.#replace(number, ended)
    })
    return worker
  }

  async #answer(worker: WorkerProcess, message: ToPrimary): Promise<void> {
    if (message.type === 'snapshot') this.metrics.answered(worker, message.id, message.snapshot)
    if (message.type !== 'scrape wanted') return
    worker.send({ type: 'scrape', id: message.id, scrape: await this.metrics.scrape() })
  }

  #replace(worker: number, { code, signal, livedMs }: Ended): void {
    this.#counts.died()
    const delayMs = this.#hasServed ? this.#restarts.died(worker, livedMs) : undefined
    if (typeof delayMs === 'number') {
      this.#log.error({ worker, code, signal, delayMs }, 'worker ended; restarting it')
      setTimeout(() => this.#isStopping || this.#startOne(worker), delayMs)
      return
    }
    const message = this.#hasServed ? 'crash loop of workers' : 'no worker started'
    this.#log.fatal({ worker, code, signal }, message)
    this.#shutdown.failed()
    this.#shutdown.end('workers end')
  }
}
