/** `ticket_report`: reads all pages with progress, and stops when the call is cancelled. */

import { UpstreamError } from '@mcp-template/server'
import { z } from 'zod'
import { defineTool } from '../mcp.ts'
import { byCursor, type Ticket } from '../ticket.ts'

export default defineTool({
  name: 'ticket_report',
  title: 'Report',
  description: 'Counts all tickets by state. Takes a while.',
  input: z.object({}),
  output: z.object({
    open: z.number(),
    waiting: z.number(),
    closed: z.number(),
    complete: z.boolean().describe('False if the ticket system became too slow.'),
  }),
  requires: { login: true, scopes: ['tickets:read'] },
  annotations: { readOnlyHint: true },
  timeoutSeconds: 300,
  async run({ settings, upstream, signal, progress }) {
    const count = { open: 0, waiting: 0, closed: 0 }
    const params = { region: settings.TICKETS_REGION, limit: settings.TICKETS_PAGE_SIZE }
    const timeoutMs = settings.TICKETS_REPORT_PAGE_MS
    const options = { ...byCursor, maxPages: 1000, timeoutMs, signal }
    let done = 0
    try {
      for await (const { body, headers } of upstream.pages('/tickets', params, options)) {
        const tickets: readonly Ticket[] = byCursor.items(body)
        for (const { state } of tickets) count[state] += 1
        done += tickets.length
        await progress(done, Number(headers['x-total-count']), 'Tickets counted')
      }
      return { ...count, complete: true }
    } catch (error) {
      const isSlow = error instanceof UpstreamError && error.code === 'upstream_timeout'
      if (!isSlow || done === 0) throw error
      return { ...count, complete: false }
    }
  },
})
