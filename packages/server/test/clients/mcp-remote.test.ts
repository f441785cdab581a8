/** mcp-remote as a real process, as hosts that support only stdio start it. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { structured } from '../support/clients.ts'
import { closing, startGuarded } from './apps.ts'

const PROGRAM = join(
  import.meta.dirname,
  '../../../../.cache/mcp-remote/node_modules/mcp-remote/dist/proxy.js',
)
const isThere = existsSync(PROGRAM)
if (!isThere) process.stderr.write('Skipped: mcp-remote is not there: sh .ci/mcp-remote.sh\n')

/** Starts it with its data in an empty folder, and authorizes it when it asks for that. */
async function startRemote(url: string, folder: string) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, url],
    // It would open a browser; `true` is a command that does nothing.
    env: { PATH: process.env.PATH ?? '', MCP_REMOTE_CONFIG_DIR: folder, BROWSER: 'true' },
    stderr: 'pipe',
  })
  const opened: string[] = []
  let said = ''
  transport.stderr?.on('data', (chunk: Buffer) => {
    said += chunk
    for (const [address] of said.matchAll(/^http\S+\/authorize\?\S+$/gm)) {
      if (opened.includes(address)) continue
      opened.push(address)
      void authorizeClient(address)
    }
  })
  const client = closing(new Client({ name: 'a host with stdio only', version: '1' }))
  await client.connect(transport)
  return { client, opened }
}

async function authorizeClient(address: string): Promise<void> {
  const browser = createBrowser()
  const page = await browser.open(address)
  expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
  await browser.open(page.url, { decision: 'allow' })
}

async function connectedAt(client: Client): Promise<unknown> {
  const session = await client.callTool({ name: 'session', arguments: {} })
  return structured<{ connectedAt: string }>(session).connectedAt
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-remote-'))
  closing({ close: async () => rmSync(folder, { recursive: true, force: true }) })
  return folder
}

const isRequired = process.env.REQUIRE_CLIENTS === '1'
describe.skipIf(!isThere && !isRequired)('mcp-remote', () => {
  test.each(['/mcp', '/sse'])('signs in at %s, and not again at its next start', async (path) => {
    const { url } = await startGuarded()
    const folder = emptyFolder()
    const first = await startRemote(url + path, folder)
    const session = await connectedAt(first.client)
    expect(first.opened).toHaveLength(1)
    await first.client.close()

    const again = await startRemote(url + path, folder)
    expect(await connectedAt(again.client)).toBe(session)
    expect(again.opened).toHaveLength(0)
  })
})
