/** The telemetry dependencies: metrics and tracing. */

import type { Metrics } from './metrics.ts'
import type { Tracing } from './tracing.ts'

export interface Telemetry {
  readonly metrics: Metrics
  /** Undefined if tracing is off. */
  readonly tracing: Tracing | undefined
}
