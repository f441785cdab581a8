/** Real metrics for parts that are tested without a server; one registry for a whole test file. */

import { createMetrics } from '../telemetry/metrics.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export const telemetry: Telemetry = {
  metrics: createMetrics({ version: '0' }),
  tracing: undefined,
}
