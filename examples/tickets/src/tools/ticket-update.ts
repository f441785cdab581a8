/** `ticket_update`: optimistic locking by ETag; a change of an older version is refused. */

import { ToolError } from '@mcp-template/server'
import { z } from 'zod'
import { defineTool } from '../mcp.ts'
import { explain, state, type Ticket, ticket, ticketId } from '../ticket.ts'

export default defineTool({
  name: 'ticket_update',
  title: 'Change a ticket',
  description: 'Changes title or state of a ticket, unless somebody else changed it meanwhile.',
  input: z.object({
    id: ticketId,
    version: z.string().max(100).describe('As `ticket_read` gave it.'),
    title: z.string().min(1).max(200).optional(),
    state: state.optional(),
  }),
  output: ticket.extend({ version: z.string().optional() }),
  requires: { login: true, scopes: ['tickets:write'] },
  annotations: { destructiveHint: true, idempotentHint: true },
  async run({ input: { id, version, ...changes }, upstream, announce, signal }) {
    const { status, body, headers } = await upstream.request<Ticket>(
      'PATCH',
      '/tickets/{id}',
      { id },
      { body: changes, ifMatch: version, statuses: [412], explain, signal },
    )
    if (status === 412) {
      throw new ToolError('Somebody else changed the ticket. Read it again, then decide.', {
        code: 'changed_meanwhile',
      })
    }
    announce.resourceUpdated(`ticket://${id}`)
    return { ...body, version: headers.etag }
  },
})
