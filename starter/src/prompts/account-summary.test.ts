/** The sample prompt: what the model is told. */

import { getPrompt } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import accountSummary from './account-summary.ts'

test('names the account and the reader', async () => {
  const { text } = await getPrompt(accountSummary, { audience: 'beginner', accountId: 'acc-7' })
  expect(text).toMatch(/acc-7.*beginner/)
})
