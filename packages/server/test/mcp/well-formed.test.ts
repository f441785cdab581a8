/** Lone surrogates are replaced in all output, in both eras. */

import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moduleOf, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, connectClientV1, ERAS } from '../support/clients.ts'
import { spawnServer } from '../support/process.ts'
import { connect, envelope, post, postModern, read, request } from '../support/wire.ts'

const LONE = '\\ud83d'

/** A tool that sends a lone surrogate in every kind of output. */
const SAYS = moduleOf(`
  import { ToolError } from '${import.meta.resolve('../../src/engine/index.ts')}'
  export default defineTool({
    name: 'says', description: 'Says it.',
    input: z.object({ way: z.string().optional() }),
    output: z.object({ text: z.string(), names: z.record(z.string(), z.string()), path: z.string() }),
    async run({ input, progress, client, log, announce }) {
      if (input.way === 'error') throw new ToolError('a ${LONE} b', { code: 'c_${LONE}' })
      await progress(1, 1, 'p ${LONE}')
      await client.log('error', { ['k ${LONE}']: 'l ${LONE}' })
      announce.resourceUpdated('test://note')
      log.info('log ${LONE}', { ['f ${LONE}']: 'g ${LONE}' })
      return { text: 'a ${LONE} b', names: { ['k ${LONE}']: 'v' }, path: 'c:\\\\ud83d' }
    } })`)

const CONTENT = moduleOf(`
  import { defineContentTool } from '${import.meta.resolve('../../src/engine/index.ts')}'
  export default defineContentTool({
    name: 'content', description: 'Says it.', input: z.object({}),
    run: async () => [{ type: 'text', text: 'a ${LONE} b' }] })`)

const catalogDirectory = writeCatalog({
  'tools/says.ts': SAYS,
  'tools/content.ts': CONTENT,
  'resources/note.ts': moduleOf(`export default defineResource({
    name: 'note', uri: 'test://note', read: async () => 'a ${LONE} b' })`),
  'prompts/ask.ts': moduleOf(`export default definePrompt({
    name: 'ask', description: 'Asks.', arguments: z.object({}), render: () => 'a ${LONE} b' })`),
})

const PYTHON = `
import json, sys
value = json.loads(sys.stdin.buffer.read().decode('utf-8', 'strict'))
json.dumps(value, ensure_ascii=False).encode('utf-8', 'strict')
`
const hasPython = spawnSync('python3', ['--version']).status === 0

/** Expects JSON for strict parsers: no escape of a lone surrogate, at any depth. */
function expectStrict(json: string): void {
  const visit = (value: unknown): void => {
    if (typeof value === 'string') expect(value.isWellFormed(), json).toBe(true)
    if (typeof value !== 'object' || value === null) return
    for (const [key, item] of Object.entries(value)) for (const part of [key, item]) visit(part)
  }
  visit(JSON.parse(json))
}

function expectStrictBody(text: string): void {
  const data = text.split('\n').filter((line) => /^data: ./.test(line))
  const messages = data.length > 0 ? data.map((line) => line.slice('data: '.length)) : [text]
  for (const message of messages) expectStrict(message)
}

const CALLS: readonly (readonly [string, string, Record<string, unknown>])[] = [
  ['a result', 'tools/call', { name: 'says', arguments: {} }],
  ['an error', 'tools/call', { name: 'says', arguments: { way: 'error' } }],
  ['content', 'tools/call', { name: 'content', arguments: {} }],
  ['a resource', 'resources/read', { uri: 'test://note' }],
  ['a prompt', 'prompts/get', { name: 'ask', arguments: {} }],
  ['a refusal', 'tools/call', { name: 'says', arguments: { way: ['\ud83d'] } }],
  ['an unknown name', 'completion/complete', completing('\ud83d')],
]

function completing(name: string) {
  return { ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: '' } }
}

const META = { progressToken: 'p', 'io.modelcontextprotocol/logLevel': 'debug' }

describe.each(['json', 'toon'])('as %s,', (format) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp({ catalogDirectory, env: { TOOL_TEXT_FORMAT: format } })
  })
  afterAll(() => app.stop())

  test.each(CALLS)('%s is well-formed in 2026-07-28', async (_what, method, params) => {
    expectStrictBody((await read(postModern(app.url, method, params))).text)
    expectStrictBody((await read(postModern(app.url, method, params, { meta: META }))).text)
  })

  test.each(CALLS)('%s is well-formed in 2025-11-25', async (_what, method, params) => {
    const headers = await connect(app.url)
    expectStrictBody((await read(post(app.url, request(method, params), headers))).text)
    const withToken = request(method, { ...params, _meta: { progressToken: 'p' } })
    expectStrictBody((await read(post(app.url, withToken, headers))).text)
  })

  test('replayed events are well-formed', async () => {
    const headers = await connect(app.url)
    const params = { name: 'says', arguments: {}, _meta: { progressToken: 'p' } }
    const first = await read(post(app.url, request('tools/call', params), headers))
    const [id] = /(?<=^id: ).+/m.exec(first.text) ?? []
    const from = { ...headers, accept: 'text/event-stream', 'last-event-id': id ?? '' }
    const again = await read(fetch(`${app.url}/mcp`, { headers: from }))
    expect(again.messages.length).toBeGreaterThan(1)
    expectStrictBody(again.text)
  })

  test.each(CALLS)('%s is well-formed in a direct call', async (_what, method, params) => {
    const response = await fetch(`${app.url}/http`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ method, params }),
    })
    expectStrict(await response.text())
  })

  test.skipIf(!hasPython)('a strict parser reads a result', async () => {
    const { text } = await read(postModern(app.url, 'tools/call', { name: 'says', arguments: {} }))
    const { status, stderr } = spawnSync('python3', ['-c', PYTHON], { input: text })
    expect(stderr.toString()).toBe('')
    expect(status).toBe(0)
  })

  test('the official clients read all of it', async () => {
    for (const era of ERAS) {
      const { client } = await connectClient(app.url, era)
      const result = await client.callTool({ name: 'says', arguments: {} })
      expect(result.structuredContent).toEqual({
        text: 'a \ufffd b',
        names: { 'k \ufffd': 'v' },
        path: 'c:\\ud83d',
      })
      await client.close()
    }
    const older = await connectClientV1(app.url)
    const { contents } = await older.readResource({ uri: 'test://note' })
    expect(contents).toMatchObject([{ text: 'a \ufffd b' }])
    await older.close()
  })

  test('log lines are well-formed', async () => {
    const headers = await connect(app.url)
    const call = request('tools/call', { name: 'says', arguments: {} })
    await read(post(app.url, call, headers))
    // As in the file.
    const lines = app.lines.map((line) => Buffer.from(line).toString())
    const said = lines.filter((line) => line.includes('log \ufffd'))
    expect(said.length).toBeGreaterThan(0)
    for (const line of said) expectStrict(line)
  })
})

test('standard output is well-formed', async () => {
  const server = spawnServer({ args: ['stdio'], env: { TOOLS_DIR: catalogDirectory } })
  const ended = server.exited
  const params = { _meta: { ...envelope(), ...META }, name: 'says', arguments: {} }
  for (const [id, way] of [undefined, 'error'].entries()) {
    const message = request('tools/call', { ...params, arguments: way ? { way } : {} }, id)
    server.child.stdin?.write(`${JSON.stringify(message)}\n`)
  }
  const lines = () => server.output.stdout.split('\n').filter((line) => line !== '')
  const answers = () => lines().filter((line) => line.includes('"result"'))
  await expect.poll(() => answers().length, { timeout: 50_000 }).toBe(2)
  server.child.stdin?.end()
  await ended
  for (const line of lines()) expectStrict(line)
})
