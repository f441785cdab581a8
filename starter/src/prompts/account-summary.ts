/** `account-summary`: asks the model to explain an account to its owner. */

import { completable } from '@mcp-template/server'
import { z } from 'zod'
import { definePrompt } from '../mcp.ts'

const AUDIENCES = ['accountant', 'beginner', 'expert']

export default definePrompt({
  name: 'account-summary',
  title: 'Summarise my account',
  description: 'Reads an account and explains it in a few sentences.',
  arguments: z.object({
    audience: completable(z.string().max(40).describe('Who it is for.'), (typed) =>
      AUDIENCES.filter((audience) => audience.startsWith(typed)),
    ),
    accountId: z.string().max(64).optional().describe("The user's own account if left out."),
  }),
  render: ({ audience, accountId }) =>
    `Call the \`service\` tool${accountId === undefined ? '' : ` with accountId "${accountId}"`}. ` +
    `Explain the account to a reader who is: ${audience}. ` +
    'Three sentences at most, and leave masked values as they are.',
})
