/** The process behind stdio: what ends it, what does not, and its output. */

import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type ServerProcess, spawnServer } from '../support/process.ts'
import { newBrowser, signInAs } from '../support/sign-in.ts'
import { envelope, PROTOCOL_CATALOG } from '../support/wire.ts'
import { expectOnlyProtocol } from './clients.ts'

const INITIALIZE = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'by hand', version: '1.0.0' },
  },
}

const MODERN = { _meta: envelope() }
const DISCOVER = { method: 'server/discover', params: MODERN }

test('exits soon with 0 when its input ends', async () => {
  const server = spawnStdio()
  await sendRequest(server, 1, INITIALIZE)
  const started = performance.now()
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(performance.now() - started).toBeLessThan(20_000)
  expectOnlyProtocol(server.output.stdout)
})

test('exits when its input ends before any request', async () => {
  const server = spawnStdio()
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(server.output.stdout).toBe('')
})

test('ends with its pages open and a browser still connected', async () => {
  const server = spawnStdio()
  await sendRequest(server, 1, INITIALIZE)
  const answer = await sendRequest(server, 2, { method: 'tools/call', params: { name: 'login' } })
  await signInAs(newBrowser(), answer.result.structuredContent)
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
  const server = spawnStdio()
  await sendRequest(server, 1, INITIALIZE)
  server.child.kill(signal)
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

test('ends with 0 when its host ends the input and sends a signal as well', async () => {
  const server = spawnStdio()
  await sendRequest(server, 1, INITIALIZE)
  server.child.stdin?.end()
  await expect.poll(() => server.output.stderr).toContain('"msg":"stopping"')
  server.child.kill('SIGTERM')
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

const PARSE_ERROR = { id: null, error: { code: -32700, message: 'The line is not JSON.' } }
const invalid = (id: unknown, message = 'The line is not a JSON-RPC message.') => ({
  id,
  error: { code: -32600, message },
})

/** Lines that are not messages, and the responses. */
const GARBAGE: Readonly<Record<string, readonly [line: string | Buffer, answer?: object]>> = {
  text: ['garbage', PARSE_ERROR],
  'an empty line': [''],
  'a line with a carriage return': ['\r'],
  'control characters': ['\u0000\u001b[2J', PARSE_ERROR],
  'half a message': ['{"jsonrpc":"2.0","id":1', PARSE_ERROR],
  'a very long line': ['x'.repeat(1024 * 1024), PARSE_ERROR],
  'invalid UTF-8': [Buffer.from([0xff, 0xfe, 0x80]), PARSE_ERROR],
  'another JSON': ['{"a":1}', invalid(null)],
  'no object': ['null', invalid(null)],
  'a batch': [
    '[{"jsonrpc":"2.0","id":7,"method":"ping"}]',
    invalid(null, 'JSON-RPC batches are not supported.'),
  ],
  'a message of another version': ['{"jsonrpc":"1.0","id":7,"method":"ping"}', invalid(7)],
  'a method that is not a string': ['{"jsonrpc":"2.0","id":"x","method":1}', invalid('x')],
  'an invalid id': ['{"jsonrpc":"2.0","id":{},"method":"ping"}', invalid(null)],
  'an id of more bytes than characters': [
    `{"jsonrpc":"2.0","id":"${'é'.repeat(200)}","method":"ping"}`,
    invalid(null, 'The id exceeds the limit of 256 bytes.'),
  ],
  'a long progress token': [
    `{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{"progressToken":"${'x'.repeat(257)}"}}}`,
    invalid(7, 'The progress token exceeds the limit of 256 bytes.'),
  ],
  'an answer by a long id': [`{"jsonrpc":"2.0","id":"${'x'.repeat(257)}","result":{}}`],
  'an invalid response': ['{"jsonrpc":"2.0","id":null,"error":{"code":"x"}}'],
}

test.each([
  ['2025', INITIALIZE, {}],
  ['2026', DISCOVER, MODERN],
])(
  'answers a line that is not a message, and continues: era of %s',
  async (_era, opening, params) => {
    const server = spawnStdio()
    await sendRequest(server, 'opening', opening)
    for (const [what, [line, answer]] of Object.entries(GARBAGE)) {
      const before = linesOf(server).length
      server.child.stdin?.write(line)
      server.child.stdin?.write('\n')
      await sendRequest(server, what, { method: 'tools/list', params })
      const answers = linesOf(server)
        .slice(before)
        .filter(({ id }) => id !== what)
      const expected = answer === undefined ? [] : [{ jsonrpc: '2.0', ...answer }]
      expect([what, answers]).toEqual([what, expected])
    }
    expectOnlyProtocol(server.output.stdout)
  },
)

test('members that are null count as missing', async () => {
  const server = spawnStdio()
  const capabilities = { roots: null, sampling: null }
  const _meta = null
  const params = { ...INITIALIZE.params, capabilities, _meta }
  expect(await sendRequest(server, 1, { ...INITIALIZE, params })).toHaveProperty('result')
  expect(await sendRequest(server, 2, { method: 'tools/list', params: null })).toHaveProperty(
    'result',
  )
  const listed = await sendRequest(server, 3, {
    method: 'tools/list',
    params: { cursor: null, _meta },
  })
  expect(listed).toHaveProperty('result')
  server.child.stdin?.end()
  await server.exited
})

test('a line that is not a message is answered before the handshake, too', async () => {
  const server = spawnStdio()
  server.child.stdin?.write('garbage\n')
  const { result } = await sendRequest(server, 1, INITIALIZE)
  expect(result.serverInfo).toMatchObject({ title: 'MCP Template' })
  expect(linesOf(server)[0]).toEqual({ jsonrpc: '2.0', ...PARSE_ERROR })
})

test('a line that is too long is refused once, and what follows is served', async () => {
  const server = spawnStdio()
  await sendRequest(server, 1, INITIALIZE)
  server.child.stdin?.write(`${'x'.repeat(11 * 1024 * 1024)}\n`)
  expect((await sendRequest(server, 2, { method: 'ping' })).result).toEqual({})
  const refusals = server.output.stdout.split('\n').filter((line) => line.includes('-32600'))
  expect(refusals).toHaveLength(1)
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

test('a resource that does not exist is -32002, as over HTTP', async () => {
  const server = spawnStdio({ TOOLS_DIR: PROTOCOL_CATALOG })
  await sendRequest(server, 1, INITIALIZE)
  const subscribe = (id: number, uri: string) =>
    sendRequest(server, id, { method: 'resources/subscribe', params: { uri } })
  const { error } = await subscribe(2, 'test://none')
  expect(error).toMatchObject({ code: -32002, data: { uri: 'test://none' } })
  expect((await subscribe(3, 'test://note')).result).toEqual({})
  expect((await subscribe(4, `test://${'x'.repeat(3000)}`)).error).toMatchObject({ code: -32602 })
  const read = await sendRequest(server, 5, {
    method: 'resources/read',
    params: { uri: 'test://none' },
  })
  expect(read.error).toMatchObject({ code: -32002, data: { uri: 'test://none' } })
  server.child.stdin?.end()
  await server.exited
})

test('a resource with wrongly encoded variables is refused with an explanation', async () => {
  const server = spawnStdio({ TOOLS_DIR: PROTOCOL_CATALOG })
  await sendRequest(server, 1, INITIALIZE)
  const readUri = (id: number, uri: string) =>
    sendRequest(server, id, { method: 'resources/read', params: { uri } })
  const list = await readUri(2, 'test://list/a%2Fb,c/d')
  expect(JSON.stringify(list.result)).toContain('[\\"a/b\\",\\"c\\"]')
  const { error } = await readUri(3, 'test://list/a%/b')
  expect(error).toMatchObject({ code: -32602, data: { reason: 'invalid_uri' } })
  server.child.stdin?.end()
  await server.exited
})

test('messages may arrive in pieces, and several together', async () => {
  const server = spawnStdio()
  await sendRequest(server, 0, INITIALIZE)
  for (const piece of ['{"jsonrpc":"2.0","id":1,"met', 'hod":"ping"}\ngarb', 'age\n"x"\n']) {
    server.child.stdin?.write(piece)
    await delay(50)
  }
  await sendRequest(server, 2, { method: 'ping' })
  const ids = linesOf(server).map(({ id }) => id)
  expect(ids.toSorted()).toEqual([0, 1, 2, null, null])
})

test('refuses malformed parameters with an explanation, as an error of the client', async () => {
  const server = spawnStdio()
  await sendRequest(server, 1, INITIALIZE)
  const { error } = await sendRequest(server, 2, { method: 'resources/read', params: {} })
  expect(error?.code).toBe(-32602)
  expect(error?.message).toMatch(/^Invalid params: uri: [^{}[\]]+$/)
})

function spawnStdio(more: Readonly<Record<string, string>> = {}): ServerProcess {
  const env = { NODE_ENV: 'test', MASK_MCP_PORT: '0', LOG_LEVEL: 'trace', ...more }
  return spawnServer({ args: ['stdio'], env })
}

interface Answer {
  readonly id: unknown
  // The shape depends on the method.
  readonly result: {
    readonly serverInfo: unknown
    readonly structuredContent: { readonly url: string; readonly code: string }
  }
  readonly error?: { readonly code: number; readonly message: string }
}

/** The output, line by line. */
function linesOf({ output }: ServerProcess): Answer[] {
  const lines = output.stdout.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Answer)
}

/** Sends a request and waits for the answer with its id. */
function sendRequest(server: ServerProcess, id: string | number, request: object): Promise<Answer> {
  const { child, output, exited } = server
  child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...request })}\n`)
  const answered = new Promise<Answer>((resolve) => {
    const look = () => {
      const found = linesOf(server).find((line) => line.id === id)
      if (found === undefined) return
      child.stdout?.off('data', look)
      resolve(found)
    }
    child.stdout?.on('data', look)
    look()
  })
  const ended = exited.then(({ code }) => {
    throw new Error(`the server ended (${code}):\n${output.stderr}`)
  })
  return Promise.race([answered, ended])
}
