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
  const pool = new WorkerPool(config.workers, log, shutdown)
  const port = config.serves.metrics
    ? await openMetricsPort(pool.metrics, { ...loaded, log })
    : undefined
  shutdown.serves(
    async () => {
      await pool.stop(config.http.stopDelaySeconds * 1000 + LONGEST_STOP_MS)
      port?.close()
    },
    () => pool.kill(),
  )
  if (!(await pool.start())) return
  log.info({ workers: config.workers, metricsPort: port?.port }, 'workers ready')
}

/** The workers by number, replaced when they die, and the sum of their metrics. */
class WorkerPool {
  readonly metrics: ReturnType<typeof createMetricSum>
  readonly #log: RootLogger
  readonly #shutdown: Shutdown
  readonly #workers = new Map<number, WorkerProcess>()
  readonly #counts = createWorkerMetrics(() => this.#countReady())
  readonly #restarts: ReturnType<typeof createRestarts>
  readonly #count: number
  #hasServed = false
  #isStopping = false

  constructor(count: number, log: RootLogger, shutdown: Shutdown) {
    this.#count = count
    this.#restarts = createRestarts(count, () => performance.now())
    this.#log = log
    this.#shutdown = shutdown
    this.metrics = createMetricSum(this.#counts.snapshot)
  }

  /** Starts the workers. False if the first one failed, or the pool is stopped meanwhile. */
  async start(): Promise<boolean> {
    this.#hasServed = await this.#startOne(1).started
    if (!this.#hasServed || this.#isStopping) return false
    const others = Array.from({ length: this.#count - 1 }, (_, index) => this.#startOne(index + 2))
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
    const ready = [...this.#workers.values()].filter(({ isReady }) => isReady())
    return ready.filter((worker) => !this.metrics.isSilent(worker)).length
  }

  #startOne(number: number): WorkerProcess {
    const worker = startWorker(number, (message) => void this.#answer(worker, message))
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
    if (message.type === 'snapshot failed') {
      const { id, reason } = message
      this.#log.error({ worker: worker.number, reason }, 'metrics not collected')
      this.metrics.answered(worker, id, undefined)
    }
    if (message.type === 'scrape wanted') await this.#answerScrape(worker, message.id)
  }

  async #answerScrape(worker: WorkerProcess, id: number): Promise<void> {
    try {
      worker.send({ type: 'scrape', id, scrape: await this.metrics.scrape() })
    } catch (error) {
      this.#log.error({ err: error }, 'metrics of workers not summed')
      worker.send({ type: 'scrape failed', id, reason: String(error) })
    }
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
