/** Loads OpenTelemetry on demand. */

import type { Tracing, TracingOptions } from './tracing.ts'

/** Loads OpenTelemetry's SDK (the only place that does) and starts tracing. */
export async function openTracing(options: TracingOptions): Promise<Tracing> {
  const { createOtlpTracing } = await import('./otlp-tracing.ts')
  return createOtlpTracing(options)
}
