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
  const waiting = new Map<number, (scrape: Scrape) => void>()
  let count = 0
  process.on('message', async (message: ToWorker) => {
    if (message.type === 'snapshot wanted') {
      send({ type: 'snapshot', id: message.id, snapshot: await own.snapshot() })
    } else if (message.type === 'scrape') {
      waiting.get(message.id)?.(message.scrape)
      waiting.delete(message.id)
    }
  })
  return () =>
    new Promise((resolve) => {
      count += 1
      waiting.set(count, resolve)
      send({ type: 'scrape wanted', id: count })
    })
}

/** Without effect if the primary has ended: Node then ends this process. */
function send(message: ToPrimary): void {
  process.send?.(message, undefined, undefined, () => undefined)
}
