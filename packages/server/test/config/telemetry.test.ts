/** Destinations of metrics, traces and the audit log. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load } from './load.ts'

describe('traces', () => {
  it('are not sent by default', () => {
    expect(load().config.traces).toBeUndefined()
  })

  it('are sent to the base URL with the path of OTLP', () => {
    for (const base of ['http://collector:4318', 'http://collector:4318/']) {
      const { config } = load({ OTEL_EXPORTER_OTLP_ENDPOINT: base, APP_NAME: 'Bank' })
      expect(config.traces).toMatchObject({
        endpoint: 'http://collector:4318/v1/traces',
        serviceName: 'Bank',
        sampleRatio: 1,
      })
    }
  })

  it('are sent to the endpoint for traces unchanged, if it is set', () => {
    const { config } = load({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example.com/in',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    })
    expect(config.traces).toMatchObject({
      endpoint: 'https://traces.example.com/in',
      sampleRatio: 0.25,
    })
  })

  it('do not show their headers', () => {
    const { config, secrets } = load({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-team=blue',
    })
    expect(secrets.otlpHeaders).toEqual({ Authorization: 'Bearer abc', 'x-team': 'blue' })
    expect(JSON.stringify({ config, secrets })).not.toContain('abc')
  })

  it('are refused with invalid headers, ratios and URLs', () => {
    for (const headers of ['nonsense', 'a=', '=b', 'a=%', 'a=b,c', 'a=%0Ab']) {
      expect(faultsOf({ OTEL_EXPORTER_OTLP_HEADERS: headers })).toEqual([
        'OTEL_EXPORTER_OTLP_HEADERS',
      ])
    }
    for (const share of ['-1', '1.5', 'half']) {
      expect(faultsOf({ OTEL_TRACES_SAMPLER_ARG: share })).toEqual(['OTEL_TRACES_SAMPLER_ARG'])
    }
    expect(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' })).toEqual([
      'OTEL_EXPORTER_OTLP_ENDPOINT',
    ])
  })
})

describe('metrics', () => {
  it('require another port than the server, and a long token', () => {
    expect(faultsOf({ METRICS_PORT: '6901' })).toEqual(['METRICS_PORT'])
    expect(faultsOf({ METRICS_TOKEN: 'short' })).toEqual(['METRICS_TOKEN'])
    expect(load({ METRICS_PORT: '0', MASK_MCP_PORT: '0' }).config.metrics).toEqual({
      host: '127.0.0.1',
      port: 0,
    })
  })
})

describe('the audit log', () => {
  it('requires another file than the log', () => {
    for (const file of ['a.log', './logs/../a.log']) {
      expect(faultsOf({ AUDIT_FILE: file, LOG_FILE: 'a.log' })).toEqual(['AUDIT_FILE'])
    }
  })
})
