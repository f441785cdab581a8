/** What code is given that has something to tell of itself. */

import type { Metrics } from './metrics.ts'
import type { Tracing } from './tracing.ts'

export interface Telemetry {
  readonly metrics: Metrics
  /** Absent where no traces are wanted. */
  readonly tracing: Tracing | undefined
}
