/** The variables of observability: metrics, traces and the audit log. */

import { facts } from './facts.ts'
import { address, integer, number, oneOf, pairs, pattern, text } from './values.ts'

const COLLECTOR = 'an http or https address without query and fragment'

export const telemetryVariables = {
  METRICS_PORT: integer(0, 65_535).optional().register(facts, {
    what: 'A separate port for `/metrics`; 0 selects a free one. Everybody who reaches it can read the metrics, unless METRICS_TOKEN is set.',
    defaultText:
      'none: `/metrics` is at the main port, with METRICS_TOKEN, and outside production for this machine',
  }),
  METRICS_HOST: pattern(/^[\w.:-]+$/, 'a host name or an IP address')
    .default('127.0.0.1')
    .register(facts, {
      what: 'The address that METRICS_PORT is opened on; `0.0.0.0` in a container whose network only Prometheus reaches.',
    }),
  METRICS_TOKEN: pattern(/^[\w.~+/-]{16,}=*$/, 'at least 16 letters, digits and `-._~+/`')
    .optional()
    .register(facts, {
      what: 'The token that `/metrics` requires as `Authorization: Bearer …`; other requests get 404.',
      secret: true,
    }),
  OTEL_EXPORTER_OTLP_ENDPOINT: address(COLLECTOR).optional().register(facts, {
    what: 'The collector that traces are sent to, by OTLP over HTTP with JSON: `/v1/traces` is added. Without it OpenTelemetry is not loaded.',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address(COLLECTOR).optional().register(facts, {
    what: 'The same, used unchanged; overrides OTEL_EXPORTER_OTLP_ENDPOINT.',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: pairs(
    'headers as `name=value`, separated by commas, values percent-encoded',
  )
    .default({})
    .register(facts, {
      what: 'Headers for the collector, such as its credentials.',
      secret: true,
      defaultText: '',
    }),
  OTEL_SERVICE_NAME: text('a name').optional().register(facts, {
    what: 'The name of the server in traces.',
    defaultText: 'APP_NAME',
  }),
  OTEL_TRACES_SAMPLER_ARG: number(0, 1).default(1).register(facts, {
    what: 'The share of traces that begin here and are sampled, from 0 to 1. A sampling decision of the caller takes precedence.',
  }),
  AUDIT_SUBJECT: oneOf('off', 'hash', 'subject').default('off').register(facts, {
    what: 'Whether the audit log names the person besides the client: not at all, by a hash of the subject (which anybody who knows the subject can compute), or by the subject itself.',
  }),
  AUDIT_FILE: text('a path').optional().register(facts, {
    what: 'A file for the audit log: calls, sign-ins and authorized clients. Its lines are written at any LOG_LEVEL.',
    defaultText: 'the log, where such lines have `stream: "audit"` and the level info',
  }),
}
