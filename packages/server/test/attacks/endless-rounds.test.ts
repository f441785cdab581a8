/** Evasion of a tool's rate limit: one call that goes on without end, with answers that do not fit. */

import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { defineServer, defineTool, form } from '../../src/index.ts'
import { startTestServer } from '../support/tools.ts'
import { postModern, read } from '../support/wire.ts'

const LIMIT = 3
const ROUNDS = 60

test('a caller cannot run a tool any number of times by rounds of one call', async () => {
  let runs = 0
  const tool = defineTool({
    ...{ name: 'costly', description: 'Does costly work, then asks.', input: z.object({}) },
    ...{ output: z.object({}), rateLimit: { calls: LIMIT, perSeconds: 3600 } },
    async run({ ask }) {
      runs += 1
      await ask({ really: form('Really?', z.object({ yes: z.boolean() })) })
      return {}
    },
  })
  const server = await startTestServer({
    ...{ server: defineServer({ name: 'acme' }), tools: [tool], env: { RATE_LIMIT: 'on' } },
  })
  onTestFinished(() => server.stop())
  const capabilities = { elicitation: { form: {} } }
  const inputResponses = { really: { action: 'accept', content: { yes: 'perhaps' } } }
  let params: Record<string, unknown> = { name: 'costly', arguments: {} }
  let last: unknown
  for (let round = 0; round < ROUNDS; round += 1) {
    const { message } = await read(postModern(server.url, 'tools/call', params, { capabilities }))
    last = message.result
    const { requestState } = (message.result ?? {}) as { requestState?: string }
    if (requestState === undefined) break
    params = { name: 'costly', arguments: {}, requestState, inputResponses }
  }
  expect(last).toMatchObject({
    isError: true,
    _meta: { 'mcp-template/error': { code: 'too_many_requests' } },
  })
  expect(runs).toBeGreaterThan(LIMIT)
  expect(runs).toBeLessThan(20)
})
