/** The tools for tickets: their requests to the API, and their answers. */

import { UpstreamError } from '@mcp-template/server'
import { callTool, expectNoLeak } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import { createTicketApi } from '../../test/ticket-api.ts'
import create from './ticket-create.ts'
import list from './ticket-list.ts'
import read from './ticket-read.ts'
import report from './ticket-report.ts'
import update from './ticket-update.ts'

const signedInAs = { sub: 'ada' }
const signedIn = (size?: number) => ({ signedInAs, upstream: createTicketApi(size).answers })

test('lists the requested number of tickets, page by page', async () => {
  const options = {
    ...signedIn(7),
    settings: { TICKETS_PAGE_SIZE: 2, TICKETS_REGION: 'us' } as const,
  }
  const result = await callTool(list, { limit: 5 }, options)
  expect(result.structuredContent).toMatchObject({ more: true, tickets: { length: 5 } })
  const asked = { region: 'us', limit: 2, state: undefined }
  expect(result.requests.map(({ params }) => params)).toEqual([
    asked,
    { ...asked, after: '2' },
    { ...asked, after: '4' },
  ])
  expectNoLeak(result, ['person7@example.com', 'internalCost', '420042'])
})

test('reports the end of the list', async () => {
  const result = await callTool(list, { state: 'open' }, signedIn(7))
  expect(result.structuredContent).toMatchObject({ more: false, tickets: { length: 3 } })
})

test('reports when to retry', async () => {
  const busy = new UpstreamError('upstream_rate_limited', { status: 429, retryAfterSeconds: 30 })
  const result = await callTool(list, {}, { signedInAs, upstream: { 'GET /tickets': busy } })
  expect(result).toMatchObject({ code: 'upstream_rate_limited', retryAfterSeconds: 30 })
})

test('reads a ticket with its version', async () => {
  const result = await callTool(read, { id: 'eu-2' }, signedIn())
  expect(result.structuredContent).toEqual({
    ...{ id: 'eu-2', title: 'Ticket 2', state: 'open', version: '"v1"' },
    requester: 'pe*************.com',
  })
})

test('creates a ticket only if the person agrees', async () => {
  const ticket = { title: 'Paper jam' }
  const accept = { sure: { action: 'accept', content: { urgent: true } } } as const
  const agreed = await callTool(create, ticket, { ...signedIn(), answers: accept })
  expect(agreed.structuredContent).toEqual({ created: true, id: 'eu-4' })
  expect(agreed.requests).toMatchObject([{ body: { urgent: true, region: 'eu' } }])
  const decline = { sure: { action: 'decline' } } as const
  const declined = await callTool(create, ticket, { ...signedIn(), answers: decline })
  expect(declined.structuredContent).toEqual({ created: false })
  expect(declined.requests).toEqual([])
})

test('gives the model the message of a refusal', async () => {
  const answers = { sure: { action: 'accept', content: {} } } as const
  const result = await callTool(create, { title: 'Help' }, { ...signedIn(), answers })
  expect(result).toMatchObject({ code: 'upstream_rejected', text: 'title: says too little' })
})

test('changes only the version that was read', async () => {
  const options = signedIn()
  const change = { id: 'eu-1', version: '"v1"', state: 'waiting' }
  const first = await callTool(update, change, options)
  expect(first.structuredContent).toMatchObject({ state: 'waiting', version: '"v2"' })
  expect(first.told).toEqual([{ uri: 'ticket://eu-1' }])
  const second = await callTool(update, { ...change, state: 'closed' }, options)
  expect(second.code).toBe('changed_meanwhile')
  expect(second.text).toContain('Read it again')
})

test('counts all tickets, with progress', async () => {
  const options = { ...signedIn(7), settings: { TICKETS_PAGE_SIZE: 3 } }
  const result = await callTool(report, {}, options)
  expect(result.structuredContent).toEqual({ open: 3, waiting: 0, closed: 4, complete: true })
  expect(result.progress).toMatchObject([
    { done: 3, total: 7 },
    { done: 6, total: 7 },
    { done: 7, total: 7 },
  ])
})

test('reports what it has counted when the API becomes slow', async () => {
  const { answers } = createTicketApi(7)
  const firstPage = answers['GET /tickets'] as (request: object) => unknown
  const slow = (request: { readonly params: { readonly after?: unknown } }) =>
    request.params.after === undefined ? firstPage(request) : new UpstreamError('upstream_timeout')
  const settings = { TICKETS_PAGE_SIZE: 3 }
  const options = { signedInAs, settings, upstream: { 'GET /tickets': slow } }
  const result = await callTool(report, {}, options)
  expect(result.structuredContent).toEqual({ open: 1, waiting: 0, closed: 2, complete: false })
})

test('stops counting when the call is cancelled', async () => {
  const calling = new AbortController()
  const onProgress = () => calling.abort()
  const settings = { TICKETS_PAGE_SIZE: 3 }
  const options = { ...signedIn(7), settings, signal: calling.signal, onProgress }
  const result = await callTool(report, {}, options)
  expect(result.code).toBe('cancelled')
  expect(result.requests).toHaveLength(1)
})
