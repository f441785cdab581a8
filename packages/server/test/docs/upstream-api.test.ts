/** The tools in docs/upstream-api.md behave as documented. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { AnyTool } from '../../src/engine/define-tool.ts'
import { discover } from '../../src/engine/discover.ts'
import { callTool } from '../support/tools.ts'
import { fileOf, ROOT, readDocuments } from './markdown.ts'
import { createWorkspace } from './workspace.ts'

const { blocks } =
  readDocuments().find(({ file }) => file === 'docs/upstream-api.md') ?? expect.fail('not there')
const workspace = createWorkspace()
afterAll(() => workspace.remove())

const tools = new Map<string, AnyTool>()
for (const block of blocks.filter((each) => fileOf(each)?.startsWith('src/tools/'))) {
  const found = await discover(workspace.place(block))
  for (const [name, { definition }] of found.tools) tools.set(name, definition)
}
const tool = (name: string) => tools.get(name) ?? expect.fail(`no tool ${name}`)

const signedIn = { signedInAs: { sub: 'ada' } }
const attach = tool('attach')

test('attaches the picture as a file', async () => {
  const created = new Response(null, { status: 201, headers: { location: '/files/7' } })
  const upstream = { 'POST /tickets/{id}/files': created }
  const result = await callTool(attach, { id: '1', png: 'cG5n' }, { ...signedIn, upstream })
  expect(result.structuredContent).toEqual({ location: '/files/7' })
  const form = result.requests[0]?.body as FormData
  expect(await (form.get('file') as File).text()).toBe('png')
})

test('shows the picture', async () => {
  const upstream = { 'GET /tickets/{id}/picture': new Response('png') }
  const result = await callTool(tool('attachment'), { id: '1' }, { ...signedIn, upstream })
  expect(result.content).toEqual([{ type: 'image', data: 'cG5n', mimeType: 'image/png' }])
  const large = { 'GET /tickets/{id}/picture': new Response(new Uint8Array(500_001)) }
  const refused = await callTool(tool('attachment'), { id: '1' }, { ...signedIn, upstream: large })
  expect(refused.code).toBe('upstream_too_large')
})

test('renames a ticket by its ETag, and reports a conflicting change', async () => {
  const rename = async (answer: Response) => {
    const found = Response.json({ id: '1', title: 'old' }, { headers: { etag: '"v1"' } })
    const upstream = { 'GET /tickets/{id}': found, 'PATCH /tickets/{id}': answer }
    return callTool(tool('ticket_rename'), { id: '1', title: 'new' }, { ...signedIn, upstream })
  }
  const renamed = await rename(Response.json({ id: '1', title: 'new' }))
  expect(renamed.structuredContent).toEqual({ renamed: true, title: 'new' })
  expect(renamed.requests[1]).toMatchObject({
    contentType: 'application/merge-patch+json',
    ifMatch: '"v1"',
  })
  const late = await rename(new Response(null, { status: 412 }))
  expect(late.structuredContent).toEqual({ renamed: false, title: 'new' })
  const refused = await rename(Response.json({ message: 'title is too long' }, { status: 422 }))
  expect([refused.code, refused.text]).toEqual(['upstream_rejected', 'title is too long'])
})

test('reads the pages of tickets', async () => {
  const pages = [
    Response.json([{ title: 'a' }], { headers: { link: '</tickets?page=2>; rel="next"' } }),
    Response.json([{ title: 'b' }]),
  ]
  const upstream = { 'GET /tickets': () => pages.shift() }
  const result = await callTool(tool('open_tickets'), { tags: ['x'] }, { ...signedIn, upstream })
  expect(result.structuredContent).toEqual({ titles: ['a', 'b'] })
  expect(result.requests.map(({ params }) => params)).toEqual([
    { state: 'open', tag: ['x'] },
    { page: ['2'] },
  ])
})

test('the shown excerpt of this file is in it', () => {
  const path = 'packages/server/test/docs/upstream-api.test.ts'
  const found = blocks.find((block) => fileOf(block) === path)
  const shown = found?.code.split('\n').slice(1).join('\n') ?? ''
  expect(shown).not.toBe('')
  expect(readFileSync(join(ROOT, path), 'utf8')).toContain(shown)
})
