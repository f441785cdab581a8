/** The MCP Inspector's command line as a real process: signs in through a browser. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { freePort } from '../support/free-port.ts'
import { closing, startGuarded } from './apps.ts'

const CACHE = join(import.meta.dirname, '../../../../.cache')
const PROGRAM = join(
  CACHE,
  'inspector/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
)
/** It requires a newer Node than the server. */
const NODE22 = join(CACHE, `node22/node_modules/node-${process.platform}-${process.arch}/bin/node`)
const NODE = Number.parseInt(process.versions.node, 10) >= 22 ? process.execPath : NODE22
const isThere = existsSync(PROGRAM) && existsSync(NODE)
if (!isThere) process.stderr.write('Skipped: the Inspector is not there: sh .ci/inspector.sh\n')

type Inspector = ChildProcessByStdio<null, Readable, Readable>

async function startInspector(url: string, options: readonly string[]): Promise<Inspector> {
  const home = mkdtempSync(join(tmpdir(), 'inspector-'))
  closing({ close: async () => rmSync(home, { recursive: true, force: true }) })
  const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`
  const target = [url, '--transport', 'http', '--callback-url', callback, '--format', 'json']
  return spawn(NODE, [PROGRAM, '--cli', ...target, ...options], {
    // It would open a browser; `true` is a command that does nothing.
    env: { PATH: process.env.PATH, HOME: home, BROWSER: 'true', MCP_AUTO_OPEN_ENABLED: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Waits for the URL that it asks its user to open, and grants consent there. */
async function authorizeClient({ stderr, stdout }: Inspector): Promise<void> {
  const address = await new Promise<string>((resolve, reject) => {
    let said = ''
    for (const stream of [stderr, stdout]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk
        const [found] = /http\S+\/authorize\?\S+(?=\s)/.exec(said) ?? []
        if (found !== undefined) resolve(found)
      })
    }
    stdout.once('close', () => reject(new Error(said)))
  })
  const browser = createBrowser()
  const page = await browser.open(address)
  expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
  await browser.open(page.url, { decision: 'allow' })
}

const isRequired = process.env.REQUIRE_CLIENTS === '1'
describe.skipIf(!isThere && !isRequired)('the Inspector', () => {
  test.each(['legacy', 'modern'])('signs in and calls a tool (%s era)', async (era) => {
    const { url } = await startGuarded()
    const call = ['--method', 'tools/call', '--tool-name', 'session', '--protocol-era', era]
    const inspector = await startInspector(`${url}/mcp`, call)
    const output = inspector.stdout.toArray()
    const ended = once(inspector, 'close')
    await authorizeClient(inspector)
    expect(await ended).toEqual([0, null])
    expect(Buffer.concat(await output).toString()).toContain('"anonymous"')
  })
})
