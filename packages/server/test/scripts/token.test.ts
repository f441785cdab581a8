/** `npm run token`: a user authorizes it, and it prints a token for `/http`. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { postDirect } from '../support/direct.ts'
import { TOKEN } from '../support/doctor.ts'

let app: TestApp
let child: ChildProcess | undefined
beforeAll(async () => {
  app = await startApp()
})
afterEach(() => void child?.kill('SIGKILL'))
afterAll(() => app.stop())

function startToken(...args: string[]) {
  const started = spawn(process.execPath, [TOKEN, ...args])
  child = started
  const said = { out: '', err: '' }
  started.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  started.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  return { said, ended: once(started, 'close').then(([code]) => code as number | null) }
}

/** The URL that the script asks the user to open. */
async function pageOf(said: { readonly err: string }): Promise<URL> {
  const addressIn = (text: string) => /^http\S+\/authorize\?\S+$/m.exec(text)?.[0]
  await expect.poll(() => addressIn(said.err)).toBeDefined()
  return new URL(addressIn(said.err) ?? '')
}

/** Opens it, and presses a button. */
async function decide(said: { readonly err: string }, decision: string): Promise<string> {
  const browser = createBrowser()
  const page = await browser.open(await pageOf(said))
  expect(page.text).toContain('MCP Template token')
  return (await browser.open(page.url, { decision })).text
}

test('prints a token, and nothing else, where a script can read it', async () => {
  const { said, ended } = startToken(app.url)
  expect(await decide(said, 'allow')).toContain('You can close this page')
  expect(await ended, said.err).toBe(0)
  expect(said.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  expect(said.err).not.toContain(said.out.trim())
  const headers = { authorization: `Bearer ${said.out.trim()}` }
  const { status } = await postDirect(app.url, '{"method":"ping"}', { headers })
  expect(status).toBe(200)
})

test('reports when the user denies it', async () => {
  const { said, ended } = startToken(app.url)
  await decide(said, 'deny')
  expect(await ended).toBe(1)
  expect(said.out).toBe('')
  expect(said.err).toContain('The user denied the authorization')
})

test('accepts only the expected redirect', async () => {
  const { said, ended } = startToken(app.url)
  const callback = (await pageOf(said)).searchParams.get('redirect_uri') ?? ''
  for (const query of ['', '?code=x', '?code=x&state=y']) {
    expect((await fetch(callback + query)).status).toBe(400)
  }
  await decide(said, 'allow')
  expect(await ended, said.err).toBe(0)
})

test.each([
  ['no address', [], 'Name a server'],
  ['an unavailable server', ['http://127.0.0.1:1'], 'fetch failed'],
])('with %s it reports the reason', async (_what, args, reason) => {
  const { said, ended } = startToken(...args)
  expect(await ended).toBe(1)
  expect(said.out).toBe('')
  expect(said.err).toContain(reason)
  expect(said.err).not.toMatch(/^ +at /m)
})
