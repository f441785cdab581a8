/** The process behind stdio: what ends it, what does not, and what comes out of it. */

import { expect, test } from 'vitest'
import { type ServerProcess, spawnServer } from '../support/process.ts'
import { newBrowser, signInAs } from '../support/sign-in.ts'
import { expectOnlyProtocol } from './clients.ts'

const INITIALIZE = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'by hand', version: '1.0.0' },
  },
}

test('ends by itself, with 0 and soon, when its input ends', async () => {
  const server = spawnStdio()
  await ask(server, 1, INITIALIZE)
  const asked = performance.now()
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(performance.now() - asked).toBeLessThan(5000)
  expectOnlyProtocol(server.output.stdout)
})

test('ends when its input ends before anything was asked', async () => {
  const server = spawnStdio()
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(server.output.stdout).toBe('')
})

test('ends with its pages open and a browser still connected', async () => {
  const server = spawnStdio()
  await ask(server, 1, INITIALIZE)
  const answer = await ask(server, 2, { method: 'tools/call', params: { name: 'login' } })
  await signInAs(newBrowser(), answer.result.structuredContent)
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
  const server = spawnStdio()
  await ask(server, 1, INITIALIZE)
  server.child.kill(signal)
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

test('ends with 0 when its host ends the input and sends a signal as well', async () => {
  const server = spawnStdio()
  await ask(server, 1, INITIALIZE)
  server.child.stdin?.end()
  await expect.poll(() => server.output.stderr).toContain('"msg":"stopping"')
  server.child.kill('SIGTERM')
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

/** What may stand on a line that is no message. */
const GARBAGE: Readonly<Record<string, string | Buffer>> = {
  text: 'garbage',
  'an empty line': '',
  'control characters': '\u0000\u001b[2J',
  'half a message': '{"jsonrpc":"2.0","id":1',
  'another JSON': '{"a":1}',
  'a batch': '[{"jsonrpc":"2.0","id":7,"method":"ping"}]',
  'a message of another version': '{"jsonrpc":"1.0","id":7,"method":"ping"}',
  'a very long line': 'x'.repeat(1024 * 1024),
  'invalid UTF-8': Buffer.from([0xff, 0xfe, 0x80]),
}

test('goes on after garbage, before and after the handshake', async () => {
  const server = spawnStdio()
  server.child.stdin?.write('garbage\n')
  const { result } = await ask(server, 1, INITIALIZE)
  expect(result.serverInfo).toMatchObject({ name: 'MCP Template' })
  for (const [what, garbage] of Object.entries(GARBAGE)) {
    server.child.stdin?.write(garbage)
    server.child.stdin?.write('\n')
    expect(await ask(server, what, { method: 'ping' })).toMatchObject({ result: {} })
  }
  expectOnlyProtocol(server.output.stdout)
})

test('refuses parameters that are none in words, and as the fault of the client', async () => {
  const server = spawnStdio()
  await ask(server, 1, INITIALIZE)
  const { error } = await ask(server, 2, { method: 'resources/read', params: {} })
  expect(error?.code).toBe(-32602)
  expect(error?.message).toMatch(/^Invalid params: uri: [^{}[\]]+$/)
})

function spawnStdio(): ServerProcess {
  const env = { NODE_ENV: 'test', MASK_MCP_PORT: '0', LOG_LEVEL: 'trace' }
  return spawnServer({ args: ['stdio'], env })
}

interface Answer {
  readonly id: unknown
  // The shape depends on the method, and each test looks at what it asked for.
  readonly result: {
    readonly serverInfo: unknown
    readonly structuredContent: { readonly url: string; readonly code: string }
  }
  readonly error?: { readonly code: number; readonly message: string }
}

/** Sends a request and waits for the answer with its id. */
function ask(server: ServerProcess, id: string | number, request: object): Promise<Answer> {
  const { child, output, exited } = server
  child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...request })}\n`)
  const answered = new Promise<Answer>((resolve) => {
    const look = () => {
      const lines = output.stdout.split('\n').slice(0, -1)
      const found = lines.map((line) => JSON.parse(line) as Answer).find((line) => line.id === id)
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
