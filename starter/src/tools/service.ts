/** `service`: the reference tool. Calls the upstream API on behalf of the user, and masks the answer. */

import { masked } from '@mcp-template/server'
import { z } from 'zod'
import { defineTool } from '../mcp.ts'

export default defineTool({
  name: 'service',
  title: 'Account',
  description: "Reads one of the user's accounts: owner, number and balance.",
  input: z.object({
    accountId: z
      .string()
      .regex(/^[\w-]{1,64}$/)
      .optional()
      .describe("The user's own account if left out."),
  }),
  output: z.object({
    id: z.string(),
    owner: z.string(),
    accountNumber: masked(z.string(), { right: 4 }),
    iban: masked(z.string(), { left: 4, right: 2 }),
    email: masked(z.string(), { left: 2, right: 4 }),
    balance: z.number(),
    currency: z.string(),
  }),
  requires: { login: true, scopes: ['service:read'] },
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: ({ input, upstream, signal }) =>
    upstream.get('/accounts/{id}', { id: input.accountId ?? 'me' }, { signal }),
})
