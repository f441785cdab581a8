/** `metrics`: without them there is no route, at any port. */

import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { declaredSources } from '../../src/project.ts'
import { fetchText, serve } from './served.ts'

test('false removes /metrics for everybody', async () => {
  const METRICS_TOKEN = 'a token of the scraper'.replaceAll(' ', '-')
  const app = await serve({ metrics: false }, { METRICS_TOKEN, METRICS_PORT: '0' })
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` }
  expect((await fetchText(`${app.localUrl}/metrics`, { headers })).status).toBe(404)
  expect(app.metricsPort).toBeUndefined()
})

test('variables without effect are reported', () => {
  const server = { name: 'acme', metrics: false, traces: false }
  const { warnings } = loadConfig({
    ...declaredSources({ server, version: undefined }),
    ...{ cwd: import.meta.dirname, env: { METRICS_PORT: '9464', OTEL_SERVICE_NAME: 'acme' } },
  })
  expect(warnings.map(({ message }) => message)).toEqual([
    'METRICS_PORT: no effect, since metrics is false',
    'OTEL_SERVICE_NAME: no effect, since traces is false',
  ])
})
