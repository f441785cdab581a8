/** No-op telemetry for unit tests. */

import { NO_METRICS } from '../telemetry/metrics.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export const telemetry: Telemetry = { metrics: NO_METRICS, tracing: undefined }
