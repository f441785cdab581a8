/** `ticket_list`: follows the API's cursors (pagination) up to the requested number. */

import { z } from 'zod'
import { defineTool } from '../mcp.ts'
import { byCursor, state, type Ticket, ticket } from '../ticket.ts'

export default defineTool({
  name: 'ticket_list',
  title: 'Tickets',
  description: "Lists the user's tickets, newest first.",
  input: z.object({
    state: state.optional(),
    limit: z.number().int().min(1).max(200).default(50),
  }),
  output: z.object({ tickets: z.array(ticket), more: z.boolean() }),
  requires: { login: true, scopes: ['tickets:read'] },
  annotations: { readOnlyHint: true },
  async run({ input, settings, upstream, signal }) {
    const params = {
      region: settings.TICKETS_REGION,
      limit: settings.TICKETS_PAGE_SIZE,
      state: input.state,
    }
    const options = { ...byCursor, maxItems: input.limit + 1, maxPages: 50, signal }
    const tickets: Ticket[] = []
    for await (const found of upstream.items<Ticket>('/tickets', params, options)) {
      tickets.push(found)
    }
    return { tickets: tickets.slice(0, input.limit), more: tickets.length > input.limit }
  },
})
