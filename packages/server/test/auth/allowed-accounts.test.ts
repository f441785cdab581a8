/**
 * `UPSTREAM_ALLOW`: accounts that are not allowed see the reason, and nothing of them is stored.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'
import { login, newBrowser, sessionState } from '../support/sign-in.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  const env = { LOGIN: 'at-authorize', RATE_LIMIT: 'off', UPSTREAM_ALLOW: 'ada@example.com' }
  app = await startApp({ env: { ...env, APP_NAME: 'Acme Bank' }, store })
})
afterAll(() => app.stop())

async function signedInAs(person: string) {
  const client = await createOAuthClient(app.url)
  const asked = await client.openConsent()
  const choice = await asked.decide('allow')
  const page = await asked.browser.open(choice.url, { person })
  return { ...asked, client, page }
}

/** The existing sessions that hold credentials. */
async function signedInSessions(from: number) {
  const keys = new Set(written.slice(from).map(({ key }) => key))
  const sessions = [...keys].filter((key) => key.endsWith(':session'))
  const records = await Promise.all(sessions.map((key) => store.get(key)))
  return records.filter((record) => (record as { state?: string })?.state === 'authenticated')
}

const audited = (message: string) =>
  app.lines.filter((line) => line.includes('"stream":"audit"') && line.includes(message))

describe('at /authorize', () => {
  test('a listed account is accepted', async () => {
    const { page, client, verifier } = await signedInAs('ada')
    const code = page.url.searchParams.get('code') ?? ''
    expect(await client.exchange({ code, verifier })).toMatchObject({ status: 200 })
  })

  test('another account sees the reason, and the client gets access_denied', async () => {
    const from = written.length
    const { page, browser, state } = await signedInAs('grace')
    expect(page.status).toBe(403)
    expect(page.text).toContain('<h1>Account not allowed</h1>')
    expect(page.text).toContain('This account is not allowed to use Acme Bank.')
    expect(await signedInSessions(from)).toEqual([])
    expect(audited('"account_refused"')).not.toEqual([])
    const { url } = await browser.open(page.url, { decision: 'deny' })
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: 'access_denied', state })
    const keys = written.slice(from).map(({ key }) => key)
    expect(keys.filter((key) => /oauth:(Grant|AuthorizationCode)/.test(key))).toEqual([])
  })

  test('the page does not continue, whatever its URL', async () => {
    const { page, browser } = await signedInAs('grace')
    for (const search of ['', '?sign_in=signed_in']) {
      const again = await browser.open(new URL(page.url.pathname + search, app.url))
      expect(again.url.searchParams.has('code')).toBe(false)
      expect(again.text).toContain('once you have signed in')
    }
  })

  test('another account can be tried in the same authorization', async () => {
    const { page, browser } = await signedInAs('grace')
    const choice = await browser.open(page.url, { decision: 'allow' })
    const { url } = await browser.open(choice.url, { person: 'ada' })
    expect(url.searchParams.has('code')).toBe(true)
  })
})

describe('by the tool login', () => {
  async function signIn(person: string) {
    const link = await login(app.url)
    const browser = newBrowser()
    const choice = await browser.open(link.url, { code: link.code })
    return { link, page: await browser.open(choice.url, { person }) }
  }

  test('a listed account is signed in', async () => {
    const { link, page } = await signIn('ada')
    expect(page.status).toBe(200)
    expect(await sessionState(app.url, link.session)).toBe('authenticated')
  })

  test('another account sees the reason, and is not signed in', async () => {
    const from = written.length
    const { link, page } = await signIn('grace')
    expect(page.status).toBe(403)
    expect(page.text).toContain('<h1>Account not allowed</h1>')
    expect(page.text).toMatch(/This account is not allowed to use <strong>Acme Bank<\/strong>/)
    expect(await sessionState(app.url, link.session)).toBe('anonymous')
    expect(await signedInSessions(from)).toEqual([])
  })
})

test('the log names no refused account', () => {
  expect(app.lines.join('')).not.toMatch(/grace|hopper/i)
})
