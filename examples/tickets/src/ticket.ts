/** Code that tools, the resource and the prompt share: the ticket, pages, and errors of the API. */

import { type Complete, masked, problemText } from '@mcp-template/server'
import { z } from 'zod'

export const ticketId = z
  .string()
  .regex(/^[a-z]{2}-\d{1,9}$/)
  .describe('Such as eu-17.')
export const state = z.enum(['open', 'waiting', 'closed'])

/** The fields that leave the server; the API also returns the agent and the cost of a ticket. */
export const ticket = z.object({
  id: z.string(),
  title: z.string(),
  state,
  requester: masked(z.string(), { left: 2, right: 4 }).describe('Email address.'),
})
export type Ticket = z.infer<typeof ticket>

interface TicketPage {
  readonly tickets: readonly Ticket[]
  readonly next: string | null
}

/** `GET /tickets` answers with `next`, which is `after` of the next page. */
export const byCursor = {
  by: 'cursor',
  parameter: 'after',
  cursor: (page: unknown) => (page as TicketPage).next,
  items: (page: unknown) => (page as TicketPage).tickets,
} as const

/** The API's own message for a refused request. */
export const explain = (status: number, body: unknown) =>
  status === 422 ? problemText(body) : undefined

/** Completes ids of the user's newest tickets. */
export const suggestIds: Complete = async (typed, { upstream, signal }) => {
  const { tickets } = await upstream.get<TicketPage>('/tickets', { limit: 100 }, { signal })
  return tickets.map(({ id }) => id).filter((id) => id.startsWith(typed))
}
