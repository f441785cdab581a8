/** `LOGIN=at-authorize`: people sign in upstream while they authorize a client. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser, Page } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import {
  type ConsentRequest,
  claimsOf,
  createOAuthClient,
  REDIRECT_URI,
} from '../support/oauth-client.ts'
import { recordingStore } from '../support/recording-store.ts'
import { postModern, read } from '../support/wire.ts'
import { start } from './authorization-apps.ts'

const { store, written } = recordingStore()
const env = { LOGIN: 'at-authorize', RATE_LIMIT: 'off' }
let app: TestApp
beforeAll(async () => {
  app = await startApp({ env, store })
})
afterAll(() => app.stop())

/** A client's request, and the page after the person has allowed it. */
async function allowed(): Promise<ConsentRequest & { readonly choice: Page }> {
  const client = await createOAuthClient(app.url)
  const asked = await client.openConsent()
  return { ...asked, choice: await asked.decide('allow') }
}

const choose = (browser: Browser, choice: Page, form: Record<string, string>) =>
  browser.open(choice.url, form)

async function callWithToken(url: string, token: unknown, name: string) {
  const headers = { authorization: `Bearer ${token}` }
  const { message } = await read(postModern(url, 'tools/call', { name }, { headers }))
  return structured<Record<string, unknown>>(message.result ?? {})
}

/** Sessions that were made since. */
const sessionsSince = (from: number) =>
  written.slice(from).filter(({ key, value }) => {
    return key.endsWith(':session') && (value as { access?: string }).access === 'token'
  })

describe('a person who allows a client', () => {
  test('signs in before the client gets a code, so its first call needs no sign-in', async () => {
    const client = await createOAuthClient(app.url)
    const { browser, verifier, state, decide } = await client.openConsent()
    const choice = await decide('allow')
    expect(choice.text).toContain('Who are you?')
    const { url } = await choose(browser, choice, { person: 'ada' })
    expect(url.href).toContain(REDIRECT_URI)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ state, iss: app.url })
    const code = url.searchParams.get('code') ?? ''
    const { body } = await client.exchange({ code, verifier })
    expect(await callWithToken(app.url, body.access_token, 'session')).toMatchObject({
      state: 'authenticated',
    })
    const service = await callWithToken(app.url, body.access_token, 'service')
    expect(service).toMatchObject({ owner: 'Ada Lovelace' })
    expect(JSON.stringify(service)).toMatch(/\*{4}/)
    const left = browser.cookies.map(({ name }) => name)
    expect(left.filter((name) => name.startsWith('mcp-sign-in'))).toEqual([])
  })

  test('and cancels the sign-in sees a message, and can retry', async () => {
    const { browser, choice } = await allowed()
    const failed = await choose(browser, choice, { cancel: 'yes' })
    expect([failed.status, failed.url.pathname.split('/')[1]]).toEqual([403, 'consent'])
    expect(failed.text).toContain('was cancelled')
    const again = await browser.open(failed.url, { decision: 'allow' })
    expect(again.text).toContain('Who are you?')
    const { url } = await choose(browser, again, { person: 'ada' })
    expect(url.searchParams.has('code')).toBe(true)
  })

  test('and cancels redirects the client with an error, and leaves no session', async () => {
    const from = written.length
    const { browser, choice, state } = await allowed()
    const failed = await choose(browser, choice, { cancel: 'yes' })
    const { url } = await browser.open(failed.url, { decision: 'deny' })
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: 'access_denied', state })
    const [session, ...others] = sessionsSince(from)
    expect(others).toEqual([])
    expect(await store.get(session?.key ?? '')).toBeUndefined()
    expect(written.slice(from).filter(({ key }) => key.startsWith('oauth:Grant:'))).toEqual([])
    expect((await browser.open(failed.url, { decision: 'allow' })).status).toBe(410)
  })

  test('and signs in after giving up in another tab gets nothing for it', async () => {
    const { page, browser, choice } = await allowed()
    await browser.open(page.url, { decision: 'deny' })
    const late = await choose(browser, choice, { person: 'ada' })
    expect([late.status, late.url.searchParams.get('sign_in')]).toEqual([410, 'session_ended'])
  })

  test('takes so long that the session expires, and retries', async () => {
    const from = written.length
    const { browser, choice } = await allowed()
    await store.delete(sessionsSince(from)[0]?.key ?? '')
    const failed = await choose(browser, choice, { person: 'ada' })
    expect(failed.text).toContain('took too long')
    const again = await browser.open(failed.url, { decision: 'allow' })
    const { url } = await choose(browser, again, { person: 'ada' })
    expect(url.searchParams.has('code')).toBe(true)
  })
})

test('an unavailable provider is reported on the page, with a retry and a cancel button', async () => {
  const upstream = {
    UPSTREAM_ISSUER: 'http://127.0.0.1:1',
    UPSTREAM_CLIENT_ID: 'client-1',
    UPSTREAM_API_URL: 'http://127.0.0.1:1/api',
  }
  const lonely = await start({ env: { ...env, ...upstream } })
  const client = await createOAuthClient(lonely.url)
  const { browser, decide } = await client.openConsent()
  const failed = await decide('allow')
  expect(failed.status).toBe(502)
  expect(failed.text).toContain('127.0.0.1:1 does not answer')
  expect(failed.text).toContain('Try again')
  const { url } = await browser.open(failed.url, { decision: 'deny' })
  expect(url.searchParams.get('error')).toBe('access_denied')
})

describe('with LOGIN=on-demand', () => {
  test('the browser that authorized a client needs no code for its links; others do', async () => {
    const usual = await start()
    const client = await createOAuthClient(usual.url)
    const { browser, code, verifier } = await client.authorize()
    const { body } = await client.exchange({ code, verifier })
    const link = await callWithToken(usual.url, body.access_token, 'login')
    const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const here = await fetch(String(link.url), { headers: { cookie } })
    expect(await here.text()).not.toContain('Code from your chat')
    const elsewhere = await fetch(String(link.url))
    expect(await elsewhere.text()).toContain('Code from your chat')
    const choice = await browser.open(String(link.url), {})
    expect(choice.text).toContain('Who are you?')
  })

  test('that browser has one cookie for all clients that it authorized', async () => {
    const usual = await start()
    const client = await createOAuthClient(usual.url)
    const { page, browser, decide } = await client.openConsent()
    await decide('allow')
    const known = browser.cookies.find(({ name }) => name === 'mcp-browser')
    const { url } = client.request()
    await browser.open((await browser.open(url)).url, { decision: 'allow' })
    expect(browser.cookies.filter(({ name }) => name === 'mcp-browser')).toEqual([known])
    expect(page.headers.getSetCookie().join()).not.toContain('mcp-browser')
  })

  test('denying a client sets no browser cookie', async () => {
    const usual = await start()
    const client = await createOAuthClient(usual.url)
    const { browser, decide } = await client.openConsent()
    await decide('deny')
    expect(browser.cookies.map(({ name }) => name)).not.toContain('mcp-browser')
  })

  test('twenty concurrent approvals create one session and one code', async () => {
    const recording = recordingStore()
    const usual = await start({ store: recording.store })
    const client = await createOAuthClient(usual.url)
    const { page, browser, verifier } = await client.openConsent()
    const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const send = (url: string, body?: URLSearchParams) =>
      fetch(url, {
        redirect: 'manual',
        headers: { cookie },
        ...(body && { method: 'POST', body }),
      })
    const allow = () => send(page.url.href, new URLSearchParams({ decision: 'allow' }))
    const approvals = await Promise.all(Array.from({ length: 20 }, allow))
    expect(approvals.map(({ status }) => status)).toEqual(Array(20).fill(303))
    const [next = ''] = approvals.map(({ headers }) => headers.get('location') ?? '')
    const resumed = await Promise.all(Array.from({ length: 20 }, () => send(next)))
    const codes = resumed
      .map(({ headers }) => headers.get('location') ?? '')
      .filter((location) => location.includes('code='))
    expect(codes).toHaveLength(1)
    expect((await allow()).status).toBe(410)
    const made = recording.written.filter(({ value }) => {
      return (value as { access?: string }).access === 'token'
    })
    expect(new Set(made.map(({ key }) => key)).size).toBe(1)
    const code = new URL(codes[0] ?? '').searchParams.get('code') ?? ''
    const { body } = await client.exchange({ code, verifier })
    expect(made[0]?.key).toContain(String(claimsOf(String(body.access_token)).session_id))
  })
})
