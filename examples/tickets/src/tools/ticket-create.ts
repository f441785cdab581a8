/** `ticket_create`: the user confirms first; the model gets the API's message for a refused ticket. */

import { randomUUID } from 'node:crypto'
import { form } from '@mcp-template/server'
import { z } from 'zod'
import { defineTool } from '../mcp.ts'
import { explain } from '../ticket.ts'

export default defineTool({
  name: 'ticket_create',
  title: 'Create a ticket',
  description: 'Creates a ticket. The user is asked first.',
  input: z.object({ title: z.string().min(1).max(200), text: z.string().max(4000).default('') }),
  output: z.object({ created: z.boolean(), id: z.string().optional() }),
  requires: { login: true, scopes: ['tickets:write'] },
  async run({ input, ask, settings, upstream, signal }) {
    const urgent = z.boolean().default(false).describe('Wake somebody up')
    const { sure } = await ask({
      sure: form(`Create the ticket "${input.title}"?`, z.object({ urgent })),
    })
    if (sure.action !== 'accept') return { created: false }
    const body = { ...input, region: settings.TICKETS_REGION, urgent: sure.content.urgent }
    const options = { body, idempotencyKey: randomUUID(), explain, signal }
    const { id } = await upstream.post<{ id: string }>('/tickets', {}, options)
    return { created: true, id }
  },
})
