/** `ticket-triage`: asks the model to triage one ticket; completes ids of the user's own tickets. */

import { z } from 'zod'
import { definePrompt } from '../mcp.ts'
import { suggestIds, ticketId } from '../ticket.ts'

export default definePrompt({
  name: 'ticket-triage',
  title: 'Triage a ticket',
  description: 'Reads a ticket and says what to do next.',
  arguments: z.object({ id: ticketId }),
  requires: { login: true },
  complete: { id: suggestIds },
  render: ({ id }) =>
    `Call \`ticket_read\` with id "${id}" and \`incident_list\`. Say in two sentences whether a known ` +
    'incident explains the ticket, and what to do next. Leave masked values as they are.',
})
