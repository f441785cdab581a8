/** The IPC messages between the primary process and its workers. */

import type { MetricSnapshot, Scrape } from '../telemetry/metrics.ts'

/** Environment variable with the number of a worker, from 1; a replacement has the same. */
export const NUMBER_VARIABLE = 'MCP_WORKER'

/** `signal` is in `process/shutdown.ts`. */
export type ToWorker =
  | { readonly type: 'snapshot wanted'; readonly id: number }
  | { readonly type: 'scrape'; readonly id: number; readonly scrape: Scrape }
  | { readonly type: 'scrape failed'; readonly id: number; readonly reason: string }

export type ToPrimary =
  | { readonly type: 'ready' }
  | { readonly type: 'snapshot'; readonly id: number; readonly snapshot: MetricSnapshot }
  | { readonly type: 'snapshot failed'; readonly id: number; readonly reason: string }
  | { readonly type: 'scrape wanted'; readonly id: number }
