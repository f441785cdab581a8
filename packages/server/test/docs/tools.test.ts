/** The tools, resources and prompts in docs/tools.md behave as documented. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { testTemplate, toolTemplate } from '../../src/cli/templates.ts'
import type { ResourceDefinition } from '../../src/engine/define-resource.ts'
import type { AnyTool } from '../../src/engine/define-tool.ts'
import { type Catalog, discover } from '../../src/engine/discover.ts'
import { parseDocument } from '../../src/openapi/document.ts'
import { listOperations } from '../../src/openapi/operations.ts'
import { toolCode } from '../../src/openapi/tool-code.ts'
import { planTool } from '../../src/openapi/tool-plan.ts'
import { getPrompt } from '../../src/testing/get-prompt.ts'
import { readResource } from '../../src/testing/read-resource.ts'
import { callTool, expectNoLeak } from '../support/tools.ts'
import { fileOf, ROOT, readDocuments } from './markdown.ts'
import { createWorkspace } from './workspace.ts'

const { blocks } =
  readDocuments().find(({ file }) => file === 'docs/tools.md') ?? expect.fail('not there')
const workspace = createWorkspace()
afterAll(() => workspace.remove())

const catalogs: Catalog[] = []
for (const block of blocks.filter((each) => /^src\/.*(?<!\.test)\.ts$/.test(fileOf(each) ?? ''))) {
  catalogs.push(await discover(workspace.place(block)))
}

/** The tool of that name, from the first block that has it. */
function tool(name: string): AnyTool {
  const found = catalogs.map(({ tools }) => tools.get(name)).find((each) => each !== undefined)
  return found?.definition ?? expect.fail(`no tool ${name}`)
}

const tools = {
  customer: tool('customer'),
  pay: tool('pay'),
  export: tool('export'),
  remember: tool('remember'),
  chart: tool('chart'),
}
const CARD = { brand: 'Visa', number: '4111111111111111' }
const signedIn = { signedInAs: { sub: 'ada' } }

test('masks the customer, and drops the rest', async () => {
  const customer = { name: 'Ada', phone: '+447700900123', cards: [CARD], score: 'C-minus' }
  const upstream = { 'GET /customers/{id}': customer }
  const result = await callTool(tools.customer, {}, { signedInAs: { sub: 'ada' }, upstream })
  expect(result.structuredContent).toEqual({
    name: 'Ada',
    phone: '+44••••••••23',
    cards: [{ brand: 'Visa', number: '************1111' }],
  })
  expectNoLeak(result, [customer.phone, CARD.number, customer.score])
})

test('pays once the person has agreed', async () => {
  const payment = { to: 'Grace', amount: 12 }
  const result = await callTool(tools.pay, payment, {
    signedInAs: { sub: 'ada' },
    answers: { sure: { action: 'accept', content: { reason: 'gift' } } },
    upstream: { 'POST /payments': { id: 'r-1' } },
  })
  expect(result.questions).toEqual(['Pay 12 to Grace?'])
  expect(result.requests).toMatchObject([{ body: { to: 'Grace', reason: 'gift' } }])
  expect(result.structuredContent).toEqual({ paid: true, receipt: 'r-1' })
})

test('pays nothing if the person refuses, or the token lacks the scope', async () => {
  const payment = { to: 'Grace', amount: 12 }
  const declined = await callTool(tools.pay, payment, {
    ...signedIn,
    answers: { sure: { action: 'decline' } },
  })
  expect(declined.structuredContent).toEqual({ paid: false })
  const result = await callTool(tools.pay, payment, { ...signedIn, scopes: ['service:read'] })
  expect(result.code).toBe('insufficient_scope')
  expect([...declined.requests, ...result.requests]).toEqual([])
})

test('reports its progress', async () => {
  const upstream = { 'GET /bookings': () => ['one', 'two'] }
  const result = await callTool(tools.export, { year: 2025 }, { ...signedIn, upstream })
  expect(result.structuredContent).toEqual({ bookings: 24 })
  expect(result.progress).toHaveLength(12)
  expect(result.progress.at(-1)).toEqual({ done: 12, total: 12, message: 'Month 12 of 12' })
})

test('keeps a note with the session', async () => {
  const sessionData = { note: 'milk' }
  const result = await callTool(tools.remember, { note: 'bread' }, { sessionData })
  expect(result.structuredContent).toEqual({ before: 'milk' })
  expect(result.session.data).toEqual({ note: 'bread' })
})

test('lists invoices as the document says', async () => {
  const invoice = { id: 'i-1', amount: 12, iban: 'DE89370400440532013000' }
  const upstream = { 'GET /invoices': [{ ...invoice, custom: { secret: 'yes' } }] }
  const result = await callTool(tool('list_invoices'), {}, { ...signedIn, upstream })
  expect(result.requests).toMatchObject([{ params: { limit: 20 } }])
  expect(result.structuredContent).toEqual({
    items: [{ ...invoice, iban: '******************3000' }],
  })
})

test('draws', async () => {
  const result = await callTool(tools.chart, { value: 40 })
  expect(result.text).toContain('40 of 100')
})

describe('the resource and the prompt', () => {
  const [rates] = catalogs.flatMap(({ resources }) => resources)
  const [explain] = catalogs.flatMap(({ prompts }) => prompts)
  const read = async (currency: string) => {
    if (rates === undefined) throw new Error('there is no such resource')
    return readResource(rates.definition as ResourceDefinition, `bank://rates/${currency}`)
  }

  it('answer', async () => {
    expect((await read('eur')).text).toBe('{"rate":1.17}')
    await expect(read('none')).rejects.toThrow()
    if (explain === undefined) throw new Error('there is no such prompt')
    const { text } = await getPrompt(explain.definition, { topic: 'fees' })
    expect(text).toContain('Explain fees')
  })
})

describe('a shown excerpt', () => {
  it('is what `npm run new:tool` writes', () => {
    const shown = (file: string) => blocks.find((block) => fileOf(block) === file)?.code
    expect(shown('src/tools/greet.ts')).toBe(`// src/tools/greet.ts\n${toolTemplate('greet')}`)
    const path = 'src/tools/greet.test.ts'
    expect(shown(path)).toBe(`// ${path}\n${testTemplate('greet')}`)
  })

  it('is what `mcp-template new tools` writes', async () => {
    const shown = blocks.find(({ code }) => code.includes('"openapi"'))?.code ?? ''
    const document = await parseDocument(shown)
    const [operation = expect.fail('no operation')] = listOperations(document)
    const plan = planTool(document, operation, 3)
    if ('reason' in plan) expect.fail(plan.reason)
    const path = `src/tools/${plan.name}.ts`
    const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
    const format = [biome, 'format', `--stdin-file-path=packages/server/${path}`]
    const { stdout } = spawnSync(process.execPath, format, { cwd: ROOT, input: toolCode(plan) })
    expect(blocks.find((block) => fileOf(block) === path)?.code).toBe(`// ${path}\n${stdout}`)
  })

  it('is in this file', () => {
    const path = 'packages/server/test/docs/tools.test.ts'
    const found = blocks.find((block) => fileOf(block) === path)
    const shown = found?.code.split('\n').slice(1).join('\n') ?? ''
    expect(shown).not.toBe('')
    expect(readFileSync(join(ROOT, path), 'utf8')).toContain(shown)
  })
})
