/** The ticket system of the tests: cursors, ETags, 422, files, 429 with Retry-After, slow answers. */

import { setTimeout as delay } from 'node:timers/promises'
import type { UpstreamAnswers, UpstreamRequest } from '@mcp-template/server/testing'

interface StoredTicket {
  readonly id: string
  title: string
  state: string
  readonly requester: string
  /** Fields that no caller of this server may see. */
  readonly internalCost: number
  version: number
}

/** A ticket system with `size` tickets, the newest first. Pass its `answers` as `upstream`. */
export function createTicketApi(size = 3) {
  const tickets = Array.from({ length: size }, (_, index) => storedTicket(size - index))
  const files = new Map<string, Blob>()
  const keys = new Map<string, string>()
  /** By the cursor of a page, once: `busy` is refused with 429, `slow` is answered after 3 seconds. */
  const troubles = new Map<number, 'busy' | 'slow'>()

  const answers: UpstreamAnswers = {
    async 'GET /tickets'({ params }: UpstreamRequest, signal: AbortSignal | undefined) {
      const start = Number(params.after ?? 0)
      const trouble = troubles.get(start)
      troubles.delete(start)
      if (trouble === 'busy') return problem(429, 'Slow down', { 'retry-after': '1' })
      if (trouble === 'slow') await delay(3000, undefined, { signal }).catch(() => undefined)
      const end = start + Number(params.limit)
      const wanted = tickets.filter(({ state }) => [state, undefined].includes(text(params.state)))
      const next = end < wanted.length ? `${end}` : null
      const page = { tickets: wanted.slice(start, end), next }
      return Response.json(page, { headers: { 'x-total-count': `${wanted.length}` } })
    },
    'GET /tickets/{id}': ({ params }: UpstreamRequest) => answered(find(params.id)),
    'POST /tickets'({ body, idempotencyKey = '' }: UpstreamRequest) {
      const { title } = body as { readonly title: string }
      if (title === 'Help') return invalid('title', 'says too little')
      const id = keys.get(idempotencyKey) ?? `eu-${tickets.length + 1}`
      if (!keys.has(idempotencyKey)) tickets.unshift({ ...storedTicket(tickets.length + 1), title })
      keys.set(idempotencyKey, id)
      return answered(find(id), 201)
    },
    'PATCH /tickets/{id}'({ params, body, ifMatch }: UpstreamRequest) {
      const ticket = find(params.id)
      if (ticket !== undefined && ifMatch !== etagOf(ticket)) return problem(412, 'Changed')
      if (ticket !== undefined) Object.assign(ticket, body, { version: ticket.version + 1 })
      return answered(ticket)
    },
    async 'POST /tickets/{id}/attachments'({ params, body }: UpstreamRequest) {
      const file = (body as FormData).get('file') as File
      const png = Buffer.from(await file.arrayBuffer())
      if (png.toString('latin1', 1, 4) !== 'PNG') return invalid('file', 'is no PNG picture')
      files.set(`${text(params.id)}/${file.name}`, file)
      return Response.json({ name: file.name, bytes: file.size }, { status: 201 })
    },
    'GET /tickets/{id}/attachments/{name}'({ params }: UpstreamRequest) {
      const file = files.get(`${text(params.id)}/${text(params.name)}`)
      return file ? new Response(file) : problem(404, 'No such file')
    },
  }

  function find(id: unknown): StoredTicket | undefined {
    return tickets.find((ticket) => ticket.id === id)
  }

  return { answers, tickets, troubles }
}

function storedTicket(number: number): StoredTicket {
  return {
    ...{ id: `eu-${number}`, title: `Ticket ${number}`, requester: `person${number}@example.com` },
    ...{ state: number % 2 === 0 ? 'open' : 'closed', internalCost: 420042, version: 1 },
  }
}

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value)
}

function etagOf({ version }: StoredTicket): string {
  return `"v${version}"`
}

function answered(ticket: StoredTicket | undefined, status = 200): Response {
  if (ticket === undefined) return problem(404, 'No such ticket')
  return Response.json(ticket, { status, headers: { etag: etagOf(ticket) } })
}

function invalid(field: string, message: string): Response {
  return Response.json({ errors: [{ field, message }] }, { status: 422 })
}

function problem(status: number, title: string, headers = {}): Response {
  const type = { 'content-type': 'application/problem+json' }
  return Response.json({ title, status }, { status, headers: { ...type, ...headers } })
}
