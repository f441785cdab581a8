/** Claude Code as a real process: connects, and signs in through a browser. */

import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { startApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { SERVER_COMMAND } from '../support/process.ts'
import { closing } from './apps.ts'

const run = promisify(execFile)
const PROGRAM = join(
  import.meta.dirname,
  '../../../../.cache/claude-code/node_modules/@anthropic-ai',
  `claude-code-${process.platform}-${process.arch}/claude`,
)
const isThere = existsSync(PROGRAM)
if (!isThere) process.stderr.write('Skipped: Claude Code is not there: sh .ci/claude-code.sh\n')

const TERMINAL = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))'

/** Claude Code after its installation: without servers and accounts. */
function install() {
  const home = mkdtempSync(join(tmpdir(), 'claude-code-'))
  closing({ close: async () => rmSync(home, { recursive: true, force: true }) })
  const quiet = { DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' }
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    BROWSER: 'true',
    ...quiet,
    MCP_TIMEOUT: '60000',
  }
  const options = { cwd: home, env }
  return {
    mcp: async (...args: readonly string[]) =>
      (await run(PROGRAM, ['mcp', ...args], options)).stdout,
    /** It prompts only on a terminal. */
    atTerminal: (...args: readonly string[]) =>
      spawn('python3', ['-c', TERMINAL, PROGRAM, 'mcp', ...args], options),
  }
}

/** The URL that it asks its user to open. */
function addressIn({ stdout, stderr }: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    for (const stream of [stdout, stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk
        // On a terminal a URL is a link, between control characters.
        const [found] = /http[!-~]+\/authorize\?[!-~]+(?=[^!-~])/.exec(said) ?? []
        if (found !== undefined) resolve(found)
      })
    }
    stdout.once('close', () => reject(new Error(said)))
  })
}

const isRequired = process.env.REQUIRE_CLIENTS === '1'
describe.skipIf(!isThere && !isRequired)('Claude Code', { timeout: 240_000 }, () => {
  test('connects with the command of the documentation', async () => {
    const { url, lines, stop } = await startApp()
    closing({ close: stop })
    const { mcp } = install()
    await mcp('add', '--transport', 'http', 'mcp-template', `${url}/mcp`)
    expect(await mcp('list')).toMatch(/mcp-template: \S+ \(HTTP\) - \S+ Connected/)
    expect(lines.join('')).not.toMatch(/"level":"(warn|error)"/)
  })

  test('starts the server itself', async () => {
    const { mcp } = install()
    await mcp('add', 'mcp-template', '--', process.execPath, ...SERVER_COMMAND, 'stdio')
    expect(await mcp('list')).toMatch(/mcp-template: .* - \S+ Connected/)
  })

  test('detects that it must be authorized, and connects afterwards', async () => {
    const port = await freePort()
    const known = { client_id: 'claude-code', redirect_uris: [`http://localhost:${port}/callback`] }
    const { url, stop } = await startApp({
      env: { MCP_AUTH: 'required', OAUTH_CLIENTS: JSON.stringify([known]) },
    })
    closing({ close: stop })
    const { mcp, atTerminal } = install()
    const client = ['--client-id', known.client_id, '--callback-port', String(port)]
    await mcp('add', '--transport', 'http', ...client, 'mcp-template', `${url}/mcp`)
    expect(await mcp('list')).toContain('Needs authentication')

    const login = atTerminal('login', 'mcp-template')
    closing({ close: async () => login.kill() })
    const browser = createBrowser()
    const page = await browser.open(await addressIn(login))
    expect(page.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
    const ended = once(login, 'close')
    expect((await browser.open(page.url, { decision: 'allow' })).status).toBe(200)
    expect(await ended).toEqual([0, null])
    expect(await mcp('list')).toMatch(/mcp-template: \S+ \(HTTP\) - \S+ Connected/)
  })
})
