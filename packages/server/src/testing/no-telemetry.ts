/** Telemetry for parts that are tested without a server: nothing is counted, nothing traced. */

import { NO_METRICS } from '../telemetry/metrics.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export const telemetry: Telemetry = { metrics: NO_METRICS, tracing: undefined }
