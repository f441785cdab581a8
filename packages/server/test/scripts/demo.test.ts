/** `npm run demo`, as a process: it plays all steps, and reports success only then. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../../..')
// Not through the `tsx` command, which handles signals differently.
const command = ['--import', import.meta.resolve('tsx'), join(root, 'scripts/demo.ts')]

let child: ChildProcess | undefined
afterEach(() => void child?.kill('SIGKILL'))

/** Variables that would reconfigure the server. */
const LEAKING = {
  REDIS_URL: 'redis://127.0.0.1:1',
  MASK_MCP_PORT: '1',
  NODE_ENV: 'production',
  LOG_LEVEL: 'silent',
}

function startDemo(env: Record<string, string> = {}) {
  const started = spawn(process.execPath, command, { env: { PATH: process.env.PATH, ...env } })
  child = started
  const shown = { text: '' }
  for (const stream of [started.stdout, started.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      shown.text += chunk
    })
  }
  const ended = once(started, 'close').then(([code]) => code as number | null)
  return { process: started, shown, ended }
}

test('runs the demo, whatever the environment of the caller', async () => {
  const { shown, ended } = startDemo(LEAKING)
  expect(await ended, shown.text).toBe(0)
  const steps = [...shown.text.matchAll(/^ ?\d+ {2}(.*)$/gm)].map(([, title]) => title)
  expect(steps).toEqual([
    'Start the server: no Redis, no identity provider, nothing configured',
    'Connect a client of the 2025 era',
    'Ask for the account, without having signed in',
    'Sign in',
    'Ask for the account again',
    'Connect a client of the 2026 era: no connection, a session handle instead',
    'Sign in',
    'Ask for the account, with the handle',
    'Go to /http, which requires an access token',
    'The client discovers the authorization server, and registers',
    'A person authorizes it, and it exchanges the code for tokens',
    'Connect with the token, and sign in',
    'Refresh the token: it is still Ada',
    'Revoke the tokens',
    'The same over stdio: the client starts the server itself',
    'Sign in, at pages that the process opens on this machine',
    'Sign the first client out',
    'Its session is gone',
  ])
  const times = (text: string) => shown.text.split(text).length - 1
  expect(times('protocol 2025-11-25, tools: login, logout, service, session')).toBe(2)
  expect(times('protocol 2026-07-28, tools: login, logout, service, session')).toBe(2)
  expect(times('refused: Sign-in required. Call the `login` tool')).toBe(4)
  expect(times('“Login successful”')).toBe(4)
  expect(times('“Authorize The demo?” The demo. Allow')).toBe(1)
  expect(times('refused: 401, WWW-Authenticate: Bearer')).toBe(1)
  expect(times('refused: 401, WWW-Authenticate: error="invalid_token"')).toBe(1)
  expect(times('an access token for 60 minutes, scopes mcp service:read')).toBe(2)
  expect(times('Ada Lovelace, account ****5555, IBAN GB33****************55')).toBe(5)
  expect(shown.text).toContain('state: anonymous')
  expect(shown.text).toMatch(/✓ All steps succeeded, in \d+\.\d s/)
  expect(shown.text).not.toContain('\u001b[')
})

test('exits with 1 and a reason when interrupted, and stops its server', async () => {
  const { process: demo, shown, ended } = startDemo()
  await expect.poll(() => shown.text, { timeout: 60_000 }).toContain('ready at')
  demo.kill('SIGTERM')
  expect(await ended, shown.text).toBe(1)
  expect(shown.text).toMatch(/✗ Step \d+ failed: interrupted\n$/)
  expect(shown.text).not.toMatch(/^ +at /m)
  const [url] = /http:\/\/localhost:\d+/.exec(shown.text) ?? []
  await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed')
})
