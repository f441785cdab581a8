/** `traces`: without them none is sent, whatever collector is named. */

import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { startCollector } from '../support/otlp-collector.ts'
import { postModern, read } from '../support/wire.ts'

test('false sends nothing', async () => {
  const collector = await startCollector()
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  const apps = {
    on: await startApp({ env }),
    off: await startApp({ env, server: { traces: false } }),
  }
  for (const app of [apps.off, apps.on]) await read(postModern(app.url, 'tools/list'))
  // Both send pending spans when they stop.
  await apps.off.stop()
  expect(collector.spans).toEqual([])
  await apps.on.stop()
  expect(collector.spans.length).toBeGreaterThan(0)
  await collector.close()
})
