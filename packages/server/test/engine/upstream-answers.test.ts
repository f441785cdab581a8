/** Refusals of the upstream in tool errors: masked, and with the time to retry. */

import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineTool, masked, problemText } from '../../src/engine/index.ts'
import { callTool } from '../support/tools.ts'

const tool = defineTool({
  name: 'probe',
  description: 'Asks.',
  input: z.object({}),
  output: z.object({ iban: masked(z.string()) }),
  run: ({ upstream }) =>
    upstream.get<{ iban: string }>('/a', {}, { explain: (_, body) => problemText(body) }),
})

test("the message of a refusal is masked by the tool's masks", async () => {
  const body = { message: 'DE89370400440532013000 is closed', iban: 'DE89370400440532013000' }
  const upstream = { 'GET /a': Response.json(body, { status: 422 }) }
  const result = await callTool(tool, {}, { upstream })
  expect(result.code).toBe('upstream_rejected')
  expect(result.text).toMatch(/^\S+ is closed$/)
  expect(JSON.stringify(result)).not.toContain('DE89370400440532013000')
})

test('Retry-After is in the metadata for programs', async () => {
  const limited = new Response(null, { status: 429, headers: { 'retry-after': '70' } })
  const result = await callTool(tool, {}, { upstream: { 'GET /a': limited } })
  expect(result).toMatchObject({ code: 'upstream_rate_limited', retryAfterSeconds: 70 })
})
