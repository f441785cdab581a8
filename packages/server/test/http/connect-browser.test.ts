/** `/connect/…` in the browser that authorized the client: one button, and no code. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeClient, submitWithoutCode } from '../support/consented-client.ts'
import { newBrowser } from '../support/sign-in.ts'
import { startProvider } from '../upstream/fake-provider.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

test('shows which client asks and where it leads, and asks for no code', async () => {
  const { url, cookie } = await authorizeClient(app)
  const text = await (await fetch(url, { headers: { cookie } })).text()
  expect(text).toContain('A consented client')
  expect(text).toContain(new URL(app.url).host)
  expect(text).toContain('>Continue</button>')
  expect(text).not.toContain('<input')
})

test('signs in with that one button', async () => {
  const { url, browser: value, sessions, sessionId } = await authorizeClient(app)
  const browser = newBrowser()
  browser.cookies.push({ name: 'mcp-browser', value, path: '/', host: new URL(url).hostname })
  const choice = await browser.open(url, {})
  expect(choice.text).toContain('Who are you?')
  const page = await browser.open(choice.url, { person: 'ada' })
  expect(page.text).toContain('Login successful')
  expect(await sessions.peek(sessionId)).toMatchObject({ state: 'authenticated' })
})

test('asks any other browser for the code, which is valid there', async () => {
  const { url, code, sessions, sessionId } = await authorizeClient(app)
  const browser = newBrowser()
  expect((await browser.open(url)).text).toContain('Code from your chat')
  const choice = await browser.open(url, { code })
  await browser.open(choice.url, { person: 'grace' })
  expect(await sessions.peek(sessionId)).toMatchObject({ state: 'authenticated' })
})

test('recognizes a browser for each client that it authorized', async () => {
  const first = await authorizeClient(app)
  const second = await authorizeClient(app, first.browser)
  for (const { url, cookie } of [first, second]) {
    expect((await submitWithoutCode(url, { cookie })).status).toBe(303)
  }
})

test('over https uses a cookie that no other host can set', async () => {
  const provider = await startProvider()
  const upstream = {
    UPSTREAM_ISSUER: provider.origin,
    UPSTREAM_CLIENT_ID: 'client-1',
    UPSTREAM_API_URL: `${provider.origin}/api`,
  }
  const deployed = await startApp({ env: { PUBLIC_URL: 'https://mcp.example.com', ...upstream } })
  try {
    const { url, cookie } = await authorizeClient(deployed)
    const here = deployed.localUrl + new URL(url).pathname
    expect((await submitWithoutCode(here, { cookie: cookie.replace('__Host-', '') })).status).toBe(
      403,
    )
    const gone = await submitWithoutCode(here, { cookie, origin: 'https://mcp.example.com' })
    expect(gone.status).toBe(303)
    expect(gone.headers.get('location')).toContain(provider.origin)
  } finally {
    await deployed.stop()
  }
})
