/** The server as a separate process: bundled from the sources, in an empty folder, always stopped. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { inject } from 'vitest'

const BUILT = inject('serverFolder')

/** The command of the server, for tests that spawn it themselves. */
export const SERVER_COMMAND: readonly string[] = [join(BUILT, 'main.js')]

/** The same from its sources: tools that a test writes import these. */
const FIXTURES = join(import.meta.dirname, '../fixtures')
const SOURCE_COMMAND: readonly string[] = [
  ...['--import', import.meta.resolve('tsx')],
  join(FIXTURES, 'bank/main.ts'),
]

/** Exceeds the time of a graceful shutdown: only a hung server is killed. */
const PATIENCE_MS = 35_000

type Variables = Readonly<Record<string, string>>

export interface SpawnOptions {
  /** The whole environment, except variables that every process needs. */
  readonly env?: Variables
  readonly args?: readonly string[]
  /** By default, a new empty folder. */
  readonly folder?: string
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServerProcess {
  readonly child: ChildProcess
  readonly output: { readonly stdout: string; readonly stderr: string }
  /** Resolves when the process has exited and its output has been read. */
  readonly exited: Promise<Exit>
  /** The first log line on standard output with this message; rejects if the process ends first. */
  line(message: string): Promise<Readonly<Record<string, unknown>>>
  /** Sends SIGTERM, then SIGKILL if needed. */
  stop(): Promise<Exit>
}

const LATER = 'await new Promise((resolve) => setTimeout(resolve, 2000))'
/** The variables of a process, and of its children, that takes two seconds longer to start. */
export const SLOW_START = {
  NODE_OPTIONS: `--import data:text/javascript;base64,${Buffer.from(LATER).toString('base64')}`,
}

const running = new Set<ServerProcess>()

/** Stops what still runs. `clean-up.ts` does so after each file of tests. */
export async function stopServers(): Promise<void> {
  await Promise.all([...running].map((server) => server.stop()))
}

/** The command and its catalog: bundled, unless a test has written the catalog. */
function commandFor(env: Variables) {
  if (env.TOOLS_DIR === undefined) return { command: SERVER_COMMAND, env }
  const catalog = relative(FIXTURES, env.TOOLS_DIR)
  if (catalog.startsWith('..')) return { command: SOURCE_COMMAND, env }
  const TOOLS_DIR = join(BUILT, 'catalogs', catalog)
  return { command: SERVER_COMMAND, env: { ...env, TOOLS_DIR } }
}

/** Spawns the server. It is stopped after the tests of the file at the latest. */
export function spawnServer({ env = {}, args = [], folder }: SpawnOptions = {}): ServerProcess {
  const cwd = folder ?? mkdtempSync(join(tmpdir(), 'mcp-server-'))
  const start = commandFor(env)
  const child = spawn(process.execPath, [...start.command, ...args], {
    cwd,
    env: { ...baseEnvironment(), ...start.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const exited = once(child, 'close').then(([code, signal]): Exit => {
    process.off('exit', kill)
    running.delete(server)
    if (folder === undefined) rmSync(cwd, { recursive: true, force: true })
    return { code, signal }
  })
  const server: ServerProcess = {
    child,
    output,
    exited,
    line: (message) => Promise.race([findLine(child, output, message), refuse(exited, output)]),
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(kill, PATIENCE_MS)
      const exit = await exited
      clearTimeout(timer)
      return exit
    },
  }
  running.add(server)
  return server
}

/** The variables that every process needs; none that configures the server. */
export function baseEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', TMPDIR: tmpdir() }
}

/** Starts a server that serves HTTP and waits until it does. */
export async function startServerProcess(options: SpawnOptions = {}): Promise<ServerProcess> {
  const env = { NODE_ENV: 'test', MASK_MCP_PORT: '0', ...options.env }
  const server = spawnServer({ ...options, env })
  await server.line('ready')
  return server
}

function findLine(
  { stdout }: ChildProcess,
  output: ServerProcess['output'],
  message: string,
): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    const look = () => {
      const found = output.stdout
        .split('\n')
        .map(parseLine)
        .find(({ msg }) => msg === message)
      if (found === undefined) return
      stdout?.off('data', look)
      resolve(found)
    }
    stdout?.on('data', look)
    look()
  })
}

async function refuse(exited: Promise<Exit>, output: ServerProcess['output']): Promise<never> {
  const { code, signal } = await exited
  throw new Error(`the server ended (${code ?? signal}):\n${output.stdout}${output.stderr}`)
}

function parseLine(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
