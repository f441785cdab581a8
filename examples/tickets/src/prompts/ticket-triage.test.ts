/** `ticket-triage`: its messages for the model. */

import { getPrompt } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import triage from './ticket-triage.ts'

test('names the ticket and the tools', async () => {
  const { text } = await getPrompt(triage, { id: 'eu-2' }, { signedInAs: { sub: 'ada' } })
  expect(text).toContain('`ticket_read` with id "eu-2"')
})
