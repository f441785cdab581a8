/** The variables of observability: metrics, traces and the audit log. */

import { facts } from './facts.ts'
import { address, integer, number, oneOf, pairs, pattern, text } from './values.ts'

const COLLECTOR = 'an http or https address without query and fragment'

export const telemetryVariables = {
  METRICS_PORT: integer(0, 65_535).optional().register(facts, {
    what: 'A port of its own for `/metrics`; 0 takes a free one. Whoever reaches it may read, unless METRICS_TOKEN is set.',
    defaultText:
      'none: `/metrics` is at the main port, for METRICS_TOKEN, and outside production for this machine',
  }),
  METRICS_HOST: pattern(/^[\w.:-]+$/, 'a host name or an IP address')
    .default('127.0.0.1')
    .register(facts, {
      what: 'The address that METRICS_PORT is opened on; `0.0.0.0` in a container whose network only Prometheus reaches.',
    }),
  METRICS_TOKEN: pattern(/^[\w.~+/-]{16,}=*$/, 'at least 16 letters, digits and `-._~+/`')
    .optional()
    .register(facts, {
      what: 'What `/metrics` wants as `Authorization: Bearer …`. Everybody else sees that nothing is there.',
      secret: true,
    }),
  OTEL_EXPORTER_OTLP_ENDPOINT: address(COLLECTOR).optional().register(facts, {
    what: 'The collector that traces are sent to, by OTLP over HTTP with JSON: `/v1/traces` is added. Nothing of OpenTelemetry is loaded without it.',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address(COLLECTOR).optional().register(facts, {
    what: 'The same, taken as it is; wins over OTEL_EXPORTER_OTLP_ENDPOINT.',
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
    what: 'What the server is called in traces.',
    defaultText: 'APP_NAME',
  }),
  OTEL_TRACES_SAMPLER_ARG: number(0, 1).default(1).register(facts, {
    what: 'How many of the traces that begin here are kept, from 0 to 1. Where the caller decided that, it stays so.',
  }),
  AUDIT_SUBJECT: oneOf('off', 'hash', 'subject').default('off').register(facts, {
    what: 'Whether the audit log names the person besides the client: not at all, by a hash of the subject, which whoever knows a subject can compute, or by the subject itself.',
  }),
  AUDIT_FILE: text('a path').optional().register(facts, {
    what: 'A file for the audit log: who called what, signed in, let a client in. Its lines are written at any LOG_LEVEL.',
    defaultText: 'the log, where such lines have `stream: "audit"` and the level info',
  }),
}
