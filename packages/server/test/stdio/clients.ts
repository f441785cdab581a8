/** The official clients, each of which starts the server; its output is recorded. */

import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { expect, onTestFinished, vi } from 'vitest'
import type { Caller } from '../support/callers.ts'
import { baseEnvironment, SERVER_COMMAND } from '../support/process.ts'

type Variables = Readonly<Record<string, string>>

export interface StdioCaller extends Caller {
  /** The output of the process so far. */
  readonly output: { stdout: string; stderr: string }
  readonly pid: number
}

export type ConnectStdio = (env?: Variables, onUrl?: OpenUrl) => Promise<StdioCaller>

/** What the user's client does when the server asks it to open a URL. */
export type OpenUrl = (url: string, message: string) => Promise<void>

export const STDIO_CALLERS: Readonly<Record<string, ConnectStdio>> = {
  'v1 client, 2025-11-25': async (env) => {
    const client = new ClientV1({ name: 'test client v1', version: '1.0.0' })
    const transport = new TransportV1(serverParameters(env))
    const output = await connected(transport, () => client.connect(transport), client)
    return {
      ...output,
      call: async (name, input = {}) => client.callTool({ name, arguments: { ...input } }),
      close: () => client.close(),
    }
  },
  'v2 client, 2025-11-25': (env, onUrl) => connectV2('legacy', env, onUrl),
  'v2 client, 2026-07-28': (env, onUrl) => connectV2({ pin: '2026-07-28' }, env, onUrl),
}

async function connectV2(
  mode: 'legacy' | { pin: '2026-07-28' },
  env: Variables | undefined,
  onUrl: OpenUrl | undefined,
): Promise<StdioCaller> {
  const capabilities = onUrl === undefined ? {} : { elicitation: { url: {} } }
  const about = { name: 'test client v2', version: '1.0.0' }
  const client = new Client(about, { capabilities, versionNegotiation: { mode } })
  if (onUrl !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      if ('url' in params) await onUrl(params.url, params.message)
      return { action: 'accept' }
    })
  }
  const transport = new StdioClientTransport(serverParameters(env))
  const output = await connected(transport, () => client.connect(transport), client)
  return {
    ...output,
    call: (name, input = {}) => client.callTool({ name, arguments: { ...input } }),
    close: () => client.close(),
  }
}

/** Port 0, so that no test depends on a free preferred port. */
function serverParameters(env: Variables = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'mcp-stdio-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  return {
    command: process.execPath,
    args: [...SERVER_COMMAND, 'stdio'],
    env: { ...baseEnvironment(), NODE_ENV: 'test', MASK_MCP_PORT: '0', ...env },
    stderr: 'pipe' as const,
    cwd,
  }
}

interface StdioTransport {
  readonly stderr: unknown
}

/** Both transports have their process in a private field, and clear it when they close. */
async function connected(
  transport: StdioTransport,
  connect: () => Promise<void>,
  client: { close(): Promise<void> },
): Promise<Pick<StdioCaller, 'output' | 'pid'>> {
  const output = { stdout: '', stderr: '' }
  const stderr = transport.stderr as ChildProcess['stderr']
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  onTestFinished(() => client.close())
  const [child] = await Promise.all([spawnedBy(transport, output), connect()])
  return { output, pid: child.pid ?? 0 }
}

/** In the 2026 era the client probes with a first process, which it discards. */
function spawnedBy(transport: StdioTransport, output: { stdout: string }): Promise<ChildProcess> {
  return vi.waitUntil(
    () => {
      const { _process: child } = transport as unknown as { _process?: ChildProcess }
      child?.stdout?.on('data', (chunk: Buffer) => {
        output.stdout += chunk.toString()
      })
      return child
    },
    { interval: 5, timeout: 60_000 },
  )
}

/** Expects that each line is a JSON-RPC message. */
export function expectOnlyProtocol(stdout: string): void {
  const lines = stdout.split('\n')
  expect(lines.pop()).toBe('')
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' })
}
