/** Many reads for the price of one request: each subscription may read its resource. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { PROTOCOL_CATALOG, postModern, read } from '../support/wire.ts'

const LIMIT = 300

let app: TestApp
beforeAll(async () => {
  const env = { RATE_LIMIT: 'on', RATE_LIMIT_ADDRESS: String(LIMIT) }
  app = await startApp({ catalogDirectory: PROTOCOL_CATALOG, env })
})
afterAll(() => app.stop())

async function listenFor(count: number): Promise<Response> {
  const resourceSubscriptions = Array.from({ length: count }, (_, at) => `test://none/${at}`)
  const notifications = { resourceSubscriptions }
  return postModern(app.url, 'subscriptions/listen', { notifications })
}

const left = ({ headers }: Response) =>
  Number(/\br=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])

test('a stream costs a unit for each resource that it subscribes to', async () => {
  const listing = await postModern(app.url, 'tools/list')
  const before = left(listing)
  await read(Promise.resolve(listing))
  const listening = await listenFor(200)
  expect(left(listening)).toBe(before - 200)
  await read(Promise.resolve(listening))
  const refused = await listenFor(200)
  expect(refused.status).toBe(429)
  await refused.body?.cancel()
})
