/** Where OpenTelemetry is loaded, if it is. */

import type { Tracing, TracingOptions } from './tracing.ts'

/** Loads OpenTelemetry's SDK, which nothing else does, and starts to trace. */
export async function openTracing(options: TracingOptions): Promise<Tracing> {
  const { createOtlpTracing } = await import('./otlp-tracing.ts')
  return createOtlpTracing(options)
}
