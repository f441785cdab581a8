/** Uncaught exceptions end the process after running calls have finished. */

import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ServerProcess, spawnServer, startServerProcess } from '../support/process.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const TOOLS_DIR = join(import.meta.dirname, '../fixtures/faults')
const CALLERS = 20

async function startServer(env: Readonly<Record<string, string>> = {}) {
  const server = await startServerProcess({ env: { TOOLS_DIR, ...env } })
  const { publicUrl } = await server.line('ready')
  return { server, url: String(publicUrl) }
}

const toolCall = (name: string, input: object) => request('tools/call', { name, arguments: input })

/** Calls of both eras that are running when this resolves. */
async function startCalls(url: string, server: ServerProcess, ms: number) {
  const headers = await connect(url)
  const calls = Array.from({ length: CALLERS }, (_, index) =>
    read(
      index % 2 === 0
        ? postModern(url, 'tools/call', { name: 'wait', arguments: { ms } })
        : post(url, toolCall('wait', { ms }), headers),
    ),
  )
  await expect.poll(() => count(server.output.stdout, '"msg":"waiting"')).toBe(CALLERS)
  return Promise.allSettled(calls)
}

const count = (text: string, part: string) => text.split(part).length - 1

const fatalLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.includes('"level":"fatal"'))
    .map((line) => JSON.parse(line))

function fail(url: string, input: object) {
  return read(postModern(url, 'tools/call', { name: 'fail', arguments: input }))
}

test.each([
  ['timer', 'uncaughtException', 'thrown in a timer'],
  ['event', 'uncaughtException', 'nobody listens'],
  ['program', 'uncaughtException', 'ENOENT'],
  ['rejection', 'unhandledRejection', 'nobody awaits'],
])('calls of others are finished: %s', async (fault, origin, message) => {
  const { server, url } = await startServer()
  const calls = startCalls(url, server, 2000)
  await expect.poll(() => count(server.output.stdout, '"msg":"waiting"')).toBe(CALLERS)
  await fail(url, { fault })
  await server.line('uncaught exception')
  const readiness = await fetch(`${url}/readyz`)
  expect(readiness.status).toBe(503)
  const answers = (await calls).map((call) =>
    call.status === 'fulfilled' ? call.value.message.result : call.reason,
  )
  expect(answers).toHaveLength(CALLERS)
  for (const answer of answers)
    expect(answer).toMatchObject({ structuredContent: { waited: 2000 } })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  const [line, ...more] = fatalLines(server.output.stdout)
  expect(more).toEqual([])
  expect(line).toMatchObject({
    origin,
    err: { message: expect.stringContaining(message), stack: expect.stringContaining('\n    at ') },
  })
  expect(server.output.stdout).not.toContain('hunter2')
})

test('a thrown value need not be an error', async () => {
  const { server, url } = await startServer()
  await fail(url, { fault: 'nothing' })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(fatalLines(server.output.stdout)).toHaveLength(1)
})

test('an error of 50 MB is logged in a short line, and calls of others are finished', async () => {
  const { server, url } = await startServer()
  const calls = startCalls(url, server, 2000)
  await expect.poll(() => count(server.output.stdout, '"msg":"waiting"')).toBe(CALLERS)
  await fail(url, { fault: 'large' })
  for (const call of await calls) expect(call).toMatchObject({ status: 'fulfilled' })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  const [line] = fatalLines(server.output.stdout)
  expect(JSON.stringify(line).length).toBeLessThan(40_000)
  expect(line).toMatchObject({ err: { stack: expect.stringContaining('\n    at ') } })
})

test('a call of more than five seconds is not awaited', async () => {
  const { server, url } = await startServer()
  const calls = startCalls(url, server, 60_000)
  await expect.poll(() => count(server.output.stdout, '"msg":"waiting"')).toBe(CALLERS)
  await fail(url, { fault: 'timer' })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(await calls).toHaveLength(CALLERS)
})

test('a second exception ends the process at once', async () => {
  const { server, url } = await startServer()
  const calls = startCalls(url, server, 60_000)
  await expect.poll(() => count(server.output.stdout, '"msg":"waiting"')).toBe(CALLERS)
  await fail(url, { fault: 'timer', times: 2, everyMs: 50 })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(fatalLines(server.output.stdout)).toHaveLength(2)
  // Nothing was drained: the calls were aborted.
  expect((await calls).some(({ status }) => status === 'rejected')).toBe(true)
})

test('the line is in the log file and on standard error, and the audit log is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-faults-'))
  const LOG_FILE = join(folder, 'log')
  const AUDIT_FILE = join(folder, 'audit')
  const port = { MASK_MCP_PORT: '0', NODE_ENV: 'test' }
  const server = spawnServer({ env: { TOOLS_DIR, LOG_FILE, AUDIT_FILE, ...port } })
  const ready = () => /"publicUrl":"([^"]+)"/.exec(readOr(LOG_FILE))?.[1]
  await expect.poll(ready, { timeout: 60_000 }).toBeDefined()
  await fail(String(ready()), { fault: 'timer' })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  for (const text of [readFileSync(LOG_FILE, 'utf8'), server.output.stderr]) {
    expect(fatalLines(text)).toHaveLength(1)
    expect(text).not.toContain('hunter2')
  }
  expect(readFileSync(AUDIT_FILE, 'utf8')).toContain('"tool":"fail"')
  expect(fatalLines(server.output.stdout)).toEqual([])
})

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
