/** The destinations of logs, metrics and traces. */

import { resolve } from 'node:path'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import type { Serves } from './server-options.ts'
import type { Config, TracesConfig } from './shape.ts'
import type { Variables } from './variables.ts'

/** The result is valid only if no fault was added. */
export function chooseTelemetry(
  variables: Variables,
  serves: Pick<Serves, 'metrics' | 'traces'>,
  faults: Faults,
): Pick<Config, 'log' | 'metrics' | 'traces'> {
  const { LOG_LEVEL, LOG_FILE, AUDIT_FILE, METRICS_PORT, METRICS_HOST } = variables
  if (METRICS_PORT !== 0 && METRICS_PORT === variables.MASK_MCP_PORT) {
    faults.add('METRICS_PORT', 'must differ from MASK_MCP_PORT')
  }
  if (AUDIT_FILE !== undefined && LOG_FILE !== undefined && isSameFile(AUDIT_FILE, LOG_FILE)) {
    faults.add('AUDIT_FILE', 'must differ from LOG_FILE')
  }
  return {
    log: { level: LOG_LEVEL, ...defined({ file: LOG_FILE, auditFile: AUDIT_FILE }) },
    metrics: {
      host: METRICS_HOST,
      ...defined({ port: serves.metrics ? METRICS_PORT : undefined }),
    },
    ...defined({ traces: serves.traces ? chooseTraces(variables) : undefined }),
  }
}

/** Whether two paths name the same file, whatever their spelling; does not follow links. */
function isSameFile(one: string, other: string): boolean {
  return resolve(one) === resolve(other)
}

/**
 * OpenTelemetry, "OTLP Exporter Configuration": the general endpoint is a base URL, the one for
 * traces is complete.
 */
function chooseTraces(variables: Variables): TracesConfig | undefined {
  const base = variables.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/$/, '')
  const endpoint = variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base}/v1/traces`)
  if (endpoint === undefined) return undefined
  return {
    endpoint,
    serviceName: variables.OTEL_SERVICE_NAME ?? variables.APP_NAME,
    serviceVersion: variables.APP_VERSION,
    sampleRatio: variables.OTEL_TRACES_SAMPLER_ARG,
  }
}
