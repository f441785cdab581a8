/** The tool of docs/tools.md that answers with data, blocks and metadata, and the skill. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { discover } from '../../src/engine/discover.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'
import { fileOf, readDocuments } from './markdown.ts'
import { createWorkspace } from './workspace.ts'

const { blocks } =
  readDocuments().find(({ file }) => file === 'docs/tools.md') ?? expect.fail('not there')
const workspace = createWorkspace()
afterAll(() => workspace.remove())

const block =
  blocks.find((each) => fileOf(each) === 'src/tools/ticket.ts') ?? expect.fail('not there')
const folder = workspace.place(block)

test('answers with the data, a short text, the image and the link', async () => {
  const { definition } = (await discover(folder)).tools.get('ticket') ?? expect.fail('no tool')
  const email = 'ada@example.com'
  const result = await callTool(
    definition,
    { id: '7' },
    {
      signedInAs: { sub: 'ada' },
      upstream: {
        'GET /tickets/{id}': { id: '7', subject: 'Printer', email, internal: 1 },
        'GET /tickets/{id}/screenshot': { png: 'aGk=' },
      },
    },
  )
  const masked = 'ad*************'
  expect(result.structuredContent).toEqual({ id: '7', subject: 'Printer', email: masked })
  expect(result.content).toEqual([
    { type: 'text', text: `Printer, from ${masked}` },
    { type: 'image', data: 'aGk=', mimeType: 'image/png' },
    { type: 'resource_link', uri: 'desk://tickets/7', name: 'Printer' },
  ])
  expect(result.meta).toEqual({ 'acme.example/version': 3 })
  expectNoLeak(result, [email])
})

test('the documented skill is valid', async () => {
  const skill = blocks.find(({ code }) => code.startsWith('---\n')) ?? expect.fail('not there')
  const path = join(folder, 'skills/triage/SKILL.md')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, skill.code)
  expect((await discover(folder)).skills).toEqual(['triage'])
})
