/** `ticket_read`: one ticket, with the version that a change must name. */

import { z } from 'zod'
import { defineTool } from '../mcp.ts'
import { type Ticket, ticket, ticketId } from '../ticket.ts'

export default defineTool({
  name: 'ticket_read',
  title: 'Ticket',
  description: 'Reads a ticket. `ticket_update` needs its version.',
  input: z.object({ id: ticketId }),
  output: ticket.extend({ version: z.string().optional() }),
  requires: { login: true, scopes: ['tickets:read'] },
  annotations: { readOnlyHint: true },
  async run({ input, upstream, signal }) {
    const { body, headers } = await upstream.request<Ticket>('GET', '/tickets/{id}', input, {
      signal,
    })
    return { ...body, version: headers.etag }
  },
})
