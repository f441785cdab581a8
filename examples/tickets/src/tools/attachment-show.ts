/** `attachment_show`: returns the picture as an image block. */

import { defineContentTool } from '@mcp-template/server'
import { z } from 'zod'
import { ticketId } from '../ticket.ts'

export default defineContentTool({
  name: 'attachment_show',
  title: 'Show a picture',
  description: 'Shows a picture that is attached to a ticket.',
  input: z.object({ id: ticketId, name: z.string().max(40) }),
  requires: { login: true, scopes: ['tickets:read'] },
  annotations: { readOnlyHint: true },
  async run({ input, upstream, signal }) {
    const route = '/tickets/{id}/attachments/{name}'
    const options = { as: 'bytes', maxBytes: 700_000, signal } as const
    const { body, headers } = await upstream.request('GET', route, input, options)
    const mimeType = headers['content-type'] ?? 'image/png'
    return [{ type: 'image', data: Buffer.from(body).toString('base64'), mimeType }]
  },
})
