/** Standard output carries only the protocol, whatever is printed; no process is left behind. */

import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ServerProcess, SLOW_START, spawnServer } from '../support/process.ts'
import { ROOT } from '../support/project-copy.ts'
import { expectOnlyProtocol } from './clients.ts'

const TOOLS_DIR = join(import.meta.dirname, '../fixtures/faults')
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'by hand', version: '1.0.0' },
  },
}
const call = (name: string, input: object = {}, id: unknown = 2) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: input },
})

function spawnStdio(env: Readonly<Record<string, string>> = {}): ServerProcess {
  const own = { NODE_ENV: 'test', MASK_MCP_PORT: '0', TOOLS_DIR }
  return spawnServer({ args: ['stdio'], env: { ...own, ...env } })
}

function send(server: ServerProcess, ...messages: object[]): void {
  for (const message of messages) server.child.stdin?.write(`${JSON.stringify(message)}\n`)
}

const SOON = { timeout: 60_000, interval: 20 }
const answered = (server: ServerProcess, id: unknown) =>
  expect.poll(() => server.output.stdout, SOON).toContain(`"id":${JSON.stringify(id)}`)

/** The serving process, for which the launcher waits. */
const servingPid = ({ output }: ServerProcess) => Number(/"pid":(\d+)/.exec(output.stderr)?.[1])

const childrenOf = (pid: number | undefined): string[] =>
  spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.trim() !== '')

const exists = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function started(server: ServerProcess): Promise<number> {
  send(server, INITIALIZE)
  await answered(server, 1)
  return servingPid(server)
}

/** A Node that may not start processes. */
const FORBIDDEN = `data:text/javascript,import cp from 'node:child_process';import { syncBuiltinESMExports } from 'node:module';cp.spawn = () => { throw Object.assign(new Error('spawn EPERM'), { code: 'EPERM' }) };syncBuiltinESMExports()`

test('any printed output goes to standard error', async () => {
  const server = spawnStdio()
  await started(server)
  send(server, call('print'))
  await answered(server, 2)
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expectOnlyProtocol(server.output.stdout)
  const ways = [
    'at import',
    'by console',
    'by stream',
    'by descriptor',
    'by a process',
    'by a shell',
  ]
  for (const way of ways) expect(server.output.stderr).toContain(`printed ${way}`)
})

test('if no process may be started, output of JavaScript goes to standard error', async () => {
  const server = spawnStdio({ NODE_OPTIONS: `--import "${FORBIDDEN}"` })
  await started(server)
  expect(servingPid(server)).toBe(server.child.pid)
  server.child.stdin?.end()
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expectOnlyProtocol(server.output.stdout)
  expect(server.output.stderr).toContain('printed at import')
})

test('a byte order mark, a blank line and a last line without a newline are accepted', async () => {
  const server = spawnStdio()
  server.child.stdin?.write(`\u{feff}${JSON.stringify(INITIALIZE)}\r\n\r\n  \n`)
  await answered(server, 1)
  server.child.stdin?.end(JSON.stringify({ jsonrpc: '2.0', id: 'last', method: 'tools/list' }))
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(server.output.stdout).toContain('"id":"last"')
  expect(server.output.stdout).not.toContain('"error"')
})

test('an incomplete message at the end of the input is refused', async () => {
  const server = spawnStdio()
  await started(server)
  server.child.stdin?.end('{"jsonrpc":"2.0","id":7,"me')
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(server.output.stdout).toContain('-32700')
})

test.each([
  ['that is not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a])],
  ['in UTF-16', Buffer.from(`\u{feff}${JSON.stringify(INITIALIZE)}\n\0`, 'utf16le')],
])('a line %s is refused', async (_what, line) => {
  const server = spawnStdio()
  server.child.stdin?.write(line)
  server.child.stdin?.write('\n')
  await expect.poll(() => server.output.stdout, SOON).toContain('-32700')
  send(server, INITIALIZE)
  await answered(server, 1)
  expectOnlyProtocol(server.output.stdout)
})

test('a fault in a tool: the running call is answered, then it ends with 1', async () => {
  const server = spawnStdio()
  await started(server)
  send(server, call('wait', { ms: 1500 }, 'waits'), call('fail', { fault: 'timer' }, 'fails'))
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stdout).toMatch(/"id":"waits"|"waited":1500/)
  expect(server.output.stderr.split('"level":"fatal"')).toHaveLength(2)
  expectOnlyProtocol(server.output.stdout)
})

test('a client that closes its pipe ends it cleanly', async () => {
  const server = spawnStdio()
  const pid = await started(server)
  server.child.stdout?.destroy()
  send(server, { jsonrpc: '2.0', id: 3, method: 'tools/list' })
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(exists(pid)).toBe(false)
  expect(server.output.stderr).toContain('end of output')
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends both with 0', async (signal) => {
  const server = spawnStdio()
  const pid = await started(server)
  server.child.kill(signal)
  expect(await server.exited).toEqual({ code: 0, signal: null })
  expect(exists(pid)).toBe(false)
})

test('a signal while it starts ends both by that signal', async () => {
  const server = spawnStdio(SLOW_START)
  await expect.poll(() => childrenOf(server.child.pid), SOON).not.toEqual([])
  const [pid] = childrenOf(server.child.pid)
  server.child.kill('SIGTERM')
  expect(await server.exited).toEqual({ code: null, signal: 'SIGTERM' })
  expect(exists(Number(pid))).toBe(false)
  expect(server.output.stdout).toBe('')
})

test('a signal of a terminal, which both receive, ends both cleanly', async () => {
  const server = spawnStdio()
  const pid = await started(server)
  process.kill(pid, 'SIGINT')
  server.child.kill('SIGINT')
  expect(await server.exited).toEqual({ code: 0, signal: null })
})

test('when the launcher is killed, the server ends', async () => {
  const server = spawnStdio()
  const pid = await started(server)
  server.child.kill('SIGKILL')
  await server.exited
  await expect.poll(() => exists(pid), SOON).toBe(false)
})

test('when the server is killed, the launcher ends by the same signal', async () => {
  const server = spawnStdio()
  process.kill(await started(server), 'SIGKILL')
  expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' })
})

test('the exit code of the server is forwarded', async () => {
  const server = spawnStdio({ LOG_LEVEL: 'loud' })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stderr).toContain('LOG_LEVEL')
  expect(server.output.stdout).toBe('')
})

test('works in a pipe of a shell and with a file', () => {
  const command = join(ROOT, 'packages/server/bin/mcp-template.js')
  const start = `"${command}" start stdio --project "${join(ROOT, 'starter')}"`
  const input = `${JSON.stringify(INITIALIZE)}\n`
  const env = { PATH: process.env.PATH, NODE_ENV: 'test', MASK_MCP_PORT: '0' }
  const options = { input, env, encoding: 'utf8' as const }
  const piped = execFileSync('sh', ['-c', `"${process.execPath}" ${start} 2>&- | cat`], options)
  expectOnlyProtocol(piped)
  const file = spawnSync(
    'sh',
    ['-c', `f=$(mktemp); "$0" ${start} >$f; cat $f; rm $f`, process.execPath],
    options,
  )
  expectOnlyProtocol(file.stdout)
})
