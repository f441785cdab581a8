/** The whole server with the official client, in both eras: tokens, sign-in, all tools. */

import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEntry } from '../src/audit-log.ts'
import { connect, ERAS } from './client.ts'
import { start } from './start.ts'
import { INCIDENT } from './status-server.ts'

const PNG = Buffer.from('\x89PNG a picture', 'latin1').toString('base64')

describe.each(ERAS)('the ticket system, in the era %s', (era) => {
  let running: Awaited<ReturnType<typeof start>>
  let client: Client
  let questions: readonly string[]

  beforeAll(async () => {
    running = await start({ tickets: 5 })
    ;({ client, questions } = await connect(running.servers, era, await running.token('ada')))
  })
  afterAll(async () => {
    await client.close()
    await running.stop()
  })

  async function call(name: string, input: Record<string, unknown> = {}) {
    const result = await client.callTool({ name, arguments: input })
    const meta = result._meta as Record<string, { readonly code?: string }> | undefined
    const [first] = result.content
    return {
      data: result.structuredContent as Record<string, unknown> | undefined,
      content: result.content,
      text: first?.type === 'text' ? first.text : '',
      code: meta?.['mcp-template/error']?.code,
    }
  }

  it('signs the person in, follows cursors, masks the requester, waits out a 429', async () => {
    running.api.troubles.set(0, 'busy')
    const { data } = await call('ticket_list', { limit: 4 })
    expect(questions).toEqual([expect.stringContaining('Sign in')])
    expect(data?.more).toBe(true)
    expect(data?.tickets).toHaveLength(4)
    expect(data?.tickets).toContainEqual({
      ...{ id: 'eu-5', title: 'Ticket 5', state: 'closed' },
      requester: expect.stringMatching(/^pe\*+\.com$/),
    })
    expect(running.server.requests.map(({ params }) => params.after)).toEqual([
      ...[undefined, undefined],
      ...['2', '4'],
    ])
  })

  it('creates a ticket once the person agrees, and reports why the API refuses one', async () => {
    const { data } = await call('ticket_create', { title: 'Printer is on fire' })
    expect(data).toEqual({ created: true, id: 'eu-6' })
    expect(questions).toContain('Create the ticket "Printer is on fire"?')
    const refused = await call('ticket_create', { title: 'Help' })
    expect(refused.code).toBe('upstream_rejected')
    expect(refused.text).toContain('title: says too little')
  })

  it('permits one of two conflicting changes', async () => {
    const { data } = await call('ticket_read', { id: 'eu-1' })
    const change = { id: 'eu-1', version: data?.version }
    expect((await call('ticket_update', { ...change, state: 'waiting' })).data).toMatchObject({
      ...{ state: 'waiting', version: '"v2"' },
    })
    expect((await call('ticket_update', { ...change, state: 'open' })).code).toBe(
      'changed_meanwhile',
    )
  })

  it('accepts a picture and returns it', async () => {
    const added = await call('attachment_add', { id: 'eu-1', name: 'fire.png', png: PNG })
    expect(added.data).toEqual({ name: 'fire.png', bytes: 14 })
    const { content } = await call('attachment_show', { id: 'eu-1', name: 'fire.png' })
    expect(content).toEqual([{ type: 'image', data: PNG, mimeType: 'image/png' }])
    const wrong = { id: 'eu-1', name: 'fire.png', png: 'AAAA' }
    expect((await call('attachment_add', wrong)).text).toContain('file: is no PNG picture')
  })

  it('has each ticket as a resource, and a prompt that completes ids', async () => {
    const { contents } = await client.readResource({ uri: 'ticket://eu-2' })
    expect(JSON.parse((contents[0] as { readonly text: string }).text)).toEqual({
      ...{ id: 'eu-2', title: 'Ticket 2', state: 'open' },
      requester: expect.stringMatching(/^pe\*+\.com$/),
    })
    await expect(client.readResource({ uri: 'ticket://eu-99' })).rejects.toThrow(/not found/i)
    const refs = [
      { type: 'ref/prompt', name: 'ticket-triage' },
      { type: 'ref/resource', uri: 'ticket://{id}' },
    ] as const
    for (const ref of refs) {
      const argument = { name: 'id', value: 'eu-2' }
      expect((await client.complete({ ref, argument })).completion.values).toEqual(['eu-2'])
    }
    const { messages } = await client.getPrompt({
      name: 'ticket-triage',
      arguments: { id: 'eu-2' },
    })
    expect(messages).toHaveLength(1)
  })

  it('announces that a ticket has changed', async () => {
    const uri = 'ticket://eu-3'
    const changed: string[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      changed.push(params.uri)
    })
    if (era === '2026-07-28') await client.listen({ resourceSubscriptions: [uri] })
    else await client.subscribeResource({ uri })
    await call('ticket_update', { id: 'eu-3', version: '"v1"', title: 'Paper jam' })
    await expect.poll(() => changed).toEqual([uri])
  })

  it('reports its progress, and a partial result if the API becomes slow', async () => {
    const progress: number[] = []
    const onprogress = (each: { readonly progress: number }) => void progress.push(each.progress)
    const report = { name: 'ticket_report', arguments: {} }
    const whole = await client.callTool(report, { onprogress })
    expect(whole.structuredContent).toEqual({ open: 3, waiting: 1, closed: 2, complete: true })
    expect(progress).toEqual([2, 4, 6])
    running.api.troubles.set(2, 'slow')
    const part = await client.callTool(report)
    expect(part.structuredContent).toEqual({ open: 1, waiting: 0, closed: 1, complete: false })
  })

  it('stops a report that is cancelled', async () => {
    const calling = new AbortController()
    running.api.troubles.set(2, 'slow')
    const options = { signal: calling.signal, onprogress: () => calling.abort() }
    const report = client.callTool({ name: 'ticket_report', arguments: {} }, options)
    await expect(report).rejects.toThrow()
    await expect
      .poll(() => running.server.log())
      .toContainEqual(expect.objectContaining({ tool: 'ticket_report', outcome: 'cancelled' }))
  })

  it('calls the second API with its key', async () => {
    expect((await call('incident_list')).data).toEqual({ incidents: [INCIDENT] })
  })

  it('shows the audit log to administrators, and to nobody else', async () => {
    const names = async (of: Client) => (await of.listTools()).tools.map(({ name }) => name)
    expect(await names(client)).not.toContain('audit_list')
    await expect(call('audit_list')).rejects.toThrow(/unknown tool/i)
    const admin = await connect(running.servers, era, await running.token('grace', 'admin'))
    expect(await names(admin.client)).toContain('audit_list')
    const { structuredContent } = await admin.client.callTool({
      ...{ name: 'audit_list', arguments: { limit: 100 } },
    })
    await admin.client.close()
    const { entries } = structuredContent as { readonly entries: readonly AuditEntry[] }
    expect(
      entries.map(({ subject, kind, name, outcome }) => [subject, kind, name, outcome]),
    ).toEqual(
      expect.arrayContaining([
        ['ada', 'tool', 'ticket_create', 'input_required'],
        ['ada', 'tool', 'ticket_update', 'changed_meanwhile'],
        ['ada', 'tool', 'ticket_report', 'cancelled'],
        ['ada', 'resource', 'ticket', 'ok'],
        ['ada', 'prompt', 'ticket-triage', 'ok'],
      ]),
    )
  })
})
