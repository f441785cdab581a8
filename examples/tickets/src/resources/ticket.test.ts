/** `ticket://{id}`: the fields of a ticket that the resource discloses. */

import { readResource } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import { createTicketApi } from '../../test/ticket-api.ts'
import ticket from './ticket.ts'

const options = () => ({ signedInAs: { sub: 'ada' }, upstream: createTicketApi().answers })

test('is the ticket, masked', async () => {
  const { json } = await readResource(ticket, 'ticket://eu-2', options())
  expect(json).toEqual({
    ...{ id: 'eu-2', title: 'Ticket 2', state: 'open' },
    requester: 'pe*************.com',
  })
})

test('does not exist if the API has no such ticket', async () => {
  await expect(readResource(ticket, 'ticket://eu-9', options())).rejects.toThrow(/not found/i)
})

test('is not readable without a sign-in', async () => {
  const { upstream } = options()
  await expect(readResource(ticket, 'ticket://eu-2', { upstream })).rejects.toMatchObject({
    data: { code: 'login_required' },
  })
})
