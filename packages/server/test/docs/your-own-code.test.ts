/** docs/your-own-code.md: the documented project is served, and behaves as documented. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/index.ts'
import { postModern, read } from '../support/wire.ts'
import { fileOf, readDocuments } from './markdown.ts'
import { createWorkspace } from './workspace.ts'

const { blocks } =
  readDocuments().find(({ file }) => file === 'docs/your-own-code.md') ?? expect.fail('not there')
const workspace = createWorkspace()
const [server] = blocks.filter((block) => fileOf(block) === 'src/server.ts')
if (server === undefined) throw new Error('The page shows no src/server.ts')

let started: TestServer
beforeAll(async () => {
  started = await startTestServer({ project: workspace.place(server) })
})
afterAll(async () => {
  await started.stop()
  workspace.remove()
})

it('reads a ticket, with the audit hook around it', async () => {
  const params = { name: 'ticket', arguments: { id: 'eu-1' } }
  const { message } = await read(postModern(started.url, 'tools/call', params))
  expect(message.result?.structuredContent).toEqual({
    ...{ id: 'eu-1', subject: 'The printer is on fire', askedBy: 'anonymous' },
  })
  expect(started.log()).toContainEqual(expect.objectContaining({ msg: 'call ended' }))
})

it('shows a ticket to people, and accepts one from a program', async () => {
  const body = JSON.stringify({ id: 'eu-2', subject: '<Paper> jam' })
  const headers = { 'content-type': 'application/json' }
  const posted = await fetch(`${started.url}/hooks/tickets`, { method: 'POST', body, headers })
  expect(posted.status).toBe(204)
  const page = await fetch(`${started.url}/tickets/eu-2`)
  expect(await page.text()).toContain('<p>&lt;Paper&gt; jam</p>')
  expect((await fetch(`${started.url}/readyz`)).status).toBe(200)
})
