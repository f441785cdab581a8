/** The resource and the prompt in docs/resources.md behave as documented. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ResourceDefinition } from '../../src/engine/define-resource.ts'
import { discover } from '../../src/engine/discover.ts'
import { createFindResource } from '../../src/engine/find-resource.ts'
import { getPrompt } from '../../src/testing/get-prompt.ts'
import { readResource } from '../../src/testing/read-resource.ts'
import { fileOf, ROOT, readDocuments, sectionOf } from './markdown.ts'
import { createWorkspace } from './workspace.ts'

const document =
  readDocuments().find(({ file }) => file === 'docs/resources.md') ?? expect.fail('not there')
const workspace = createWorkspace()
afterAll(() => workspace.remove())

async function declared(file: string) {
  const block = document.blocks.find((each) => fileOf(each) === file) ?? expect.fail(file)
  return discover(workspace.place(block))
}

const [resource = expect.fail('no resource')] = (await declared('src/resources/statements.ts'))
  .resources
const [prompt = expect.fail('no prompt')] = (await declared('src/prompts/complaint.ts')).prompts
const statements = resource.definition as ResourceDefinition
const complaint = prompt.definition

test('compiles', () => {
  expect(workspace.compile()).toBe('')
})

test('masks the account number', async () => {
  const { json } = await readResource(statements, 'bank://accounts/acc-1/statements?page=2', {
    signedInAs: { sub: 'ada' },
    upstream: {
      'GET /accounts/{account}/statements': {
        iban: 'GB33BUKB20201555555555',
        entries: [],
        internal: 1,
      },
    },
  })
  expect(json).toEqual({ iban: 'GB33****************55', entries: [] })
})

test('asks for the tone', async () => {
  const answers = { tone: { action: 'accept', content: { polite: true } } } as const
  const options = { signedInAs: { sub: 'ada', name: 'Ada' }, answers }
  const { text, questions } = await getPrompt(complaint, { payment: 'p-1' }, options)
  expect(questions).toEqual(['Which tone?'])
  expect(text).toBe('Draft a polite complaint by Ada about payment p-1.')
})

test('shows the tests of this file', () => {
  const path = 'packages/server/test/docs/resources.test.ts'
  const shown = document.blocks
    .find((block) => fileOf(block) === path)
    ?.code.split('\n')
    .slice(1)
  expect(readFileSync(join(ROOT, path), 'utf8')).toContain(shown?.join('\n') ?? expect.fail(path))
})

test('matches what its table says', () => {
  const rows = [
    ...sectionOf(document, 'URI templates').matchAll(/^\| (`.+`) \| (`.+`) \| .+ \|$/gm),
  ]
  expect(rows.length).toBeGreaterThan(3)
  for (const [, template = '', uris = ''] of rows) {
    const find = createFindResource([{ name: 'it', uri: template.replaceAll('`', '') }])
    for (const uri of uris.matchAll(/`([^`]+)`/g)) expect(find(uri[1] ?? '')).toBeDefined()
  }
})
