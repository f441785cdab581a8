/** Real metrics for parts that are tested without a server; one registry for a whole test file. */

import { createMetrics } from '../../src/telemetry/prometheus.ts'
import type { Telemetry } from '../../src/telemetry/telemetry.ts'

export const telemetry: Telemetry = {
  metrics: createMetrics({ version: '0' }),
  tracing: undefined,
}
