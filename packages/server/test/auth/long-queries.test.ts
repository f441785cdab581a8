/** Long queries of `/authorize`: states are opaque, and servers with many tools have many scopes. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient } from '../support/oauth-client.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { LOGIN: 'on-demand', RATE_LIMIT: 'off' } })
})
afterAll(() => app.stop())

test.each([600, 4096])('a state of %i characters comes back', async (length) => {
  const client = await createOAuthClient(app.url)
  const state = `openai_platform_oauth_relay__${'Zm9v+/='.repeat(length)}`.slice(0, length)
  const { answer } = await client.authorize({ state })
  expect(answer.get('state')).toBe(state)
})

test('scopes of a large server, of which few exist', async () => {
  const client = await createOAuthClient(app.url)
  const many = Array.from({ length: 150 }, (_, index) => `tool-number-${index}:read`)
  const { scope } = await client.connect({ scope: ['mcp', ...many].join(' ') })
  expect(scope).toBe('mcp')
})

test.each([
  ['a state', { state: 's'.repeat(9000) }],
  ['another parameter', { nonce: 'n'.repeat(2100) }],
])('%s beyond the limit is 414', async (_what, params) => {
  const client = await createOAuthClient(app.url)
  expect((await client.ask(params)).page.status).toBe(414)
})
