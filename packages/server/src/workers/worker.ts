/** A worker's messages with the primary: readiness and metrics. */

import type { Metrics, Scrape } from '../telemetry/metrics.ts'
import { NUMBER_VARIABLE, type ToPrimary, type ToWorker } from './ipc.ts'

export interface Worker {
  /** From 1; the replacement of a dead worker has its number. */
  readonly number: number
  /** Sends the metrics to the primary when it asks; scrapes have those of all workers. */
  shareMetrics(own: Metrics): Metrics
  ready(): void
}

/** Undefined if the primary did not fork this process. */
export function joinPrimary(env: NodeJS.ProcessEnv): Worker | undefined {
  const number = env[NUMBER_VARIABLE]
  if (number === undefined) return undefined
  // Processes that tools start must not inherit the variable.
  delete env[NUMBER_VARIABLE]
  return {
    number: Number(number),
    shareMetrics: (own) => ({ ...own, scrape: createScrape(own) }),
    ready: () => send({ type: 'ready' }),
  }
}

function createScrape(own: Metrics): Metrics['scrape'] {
  const waiting = new Map<
    number,
    { readonly resolve: (scrape: Scrape) => void; readonly reject: (error: Error) => void }
  >()
  let count = 0
  process.on('message', (message: ToWorker) => {
    if (message.type === 'snapshot wanted') {
      sendSnapshot(own, message.id)
      return
    }
    const asking = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.type === 'scrape') asking?.resolve(message.scrape)
    if (message.type === 'scrape failed') asking?.reject(new Error(message.reason))
  })
  return () =>
    new Promise((resolve, reject) => {
      count += 1
      waiting.set(count, { resolve, reject })
      send({ type: 'scrape wanted', id: count })
    })
}

/** The primary logs a failure, and keeps the previous values of this worker. */
function sendSnapshot(own: Metrics, id: number): void {
  own.snapshot().then(
    (snapshot) => send({ type: 'snapshot', id, snapshot }),
    (error: unknown) => send({ type: 'snapshot failed', id, reason: String(error) }),
  )
}

/** Without effect if the primary has ended: Node then ends this process. */
function send(message: ToPrimary): void {
  process.send?.(message, undefined, undefined, () => undefined)
}
