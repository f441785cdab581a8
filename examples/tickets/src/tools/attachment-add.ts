/** `attachment_add`: uploads a picture as a file of a form. */

import { z } from 'zod'
import { defineTool } from '../mcp.ts'
import { explain, ticketId } from '../ticket.ts'

export default defineTool({
  name: 'attachment_add',
  title: 'Attach a picture',
  description: 'Attaches a PNG picture to a ticket.',
  input: z.object({
    id: ticketId,
    name: z.string().regex(/^[\w-]{1,40}\.png$/),
    png: z.base64().max(900_000),
  }),
  output: z.object({ name: z.string(), bytes: z.number() }),
  requires: { login: true, scopes: ['tickets:write'] },
  async run({ input: { id, name, png }, upstream, signal }) {
    const body = new FormData()
    body.set('file', new Blob([Buffer.from(png, 'base64')], { type: 'image/png' }), name)
    return upstream.post('/tickets/{id}/attachments', { id }, { body, explain, signal })
  },
})
