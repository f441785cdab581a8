/** `/callback`: accepted once, in the browser that was redirected to the provider. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { expectPageParts } from '../support/page-parts.ts'
import { recordingStore } from '../support/recording-store.ts'
import {
  callWith,
  login,
  newBrowser,
  sessionState,
  signInAs,
  stopBeforeCallback,
  submitCode,
} from '../support/sign-in.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterAll(() => app.stop())

test('signs in the user who started it, and shows their name', async () => {
  const link = await login(app.url)
  const browser = newBrowser()
  const page = await signInAs(browser, link, 'grace')
  expect(page.status).toBe(200)
  expect(page.text).toContain('Login successful')
  expect(page.text).toContain('Grace Hopper')
  expectPageParts(page, { heading: 'Login successful', buttons: [] })
  expect(browser.cookies.filter(({ name }) => name.includes('mcp-sign-in'))).toEqual([])
  const account = structured<{ accountNumber: string; owner: string }>(
    await callWith(app.url, link.session, 'service'),
  )
  expect(account).toMatchObject({ owner: 'Grace Hopper', accountNumber: '******6199' })
})

test('sets a cookie that scripts and other sites cannot read', async () => {
  const { url, code } = await login(app.url)
  const response = await submitCode(url, code)
  const [cookie = '', ...others] = response.headers.getSetCookie()
  expect(others).toEqual([])
  expect(cookie).toMatch(/^mcp-sign-in-[\w-]{8}=[\w-]{43};/)
  expect(cookie).toMatch(/; HttpOnly/)
  expect(cookie).toMatch(/; SameSite=Lax/)
  expect(cookie).toMatch(/; Path=\//)
  expect(cookie).toMatch(/Max-Age=600/)
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('redirects the browser with its own state, nonce and challenge', async () => {
  const leave = async () => {
    const { url, code } = await login(app.url)
    const response = await submitCode(url, code)
    return new URL(response.headers.get('location') ?? '').searchParams
  }
  const [one, other] = [await leave(), await leave()]
  expect(one.get('code_challenge_method')).toBe('S256')
  expect(one.get('redirect_uri')).toBe(`${app.url}/callback`)
  for (const name of ['state', 'nonce', 'code_challenge']) {
    expect(one.get(name)).toMatch(/^[\w-]{43}$/)
    expect(one.get(name)).not.toBe(other.get(name))
  }
})

describe('is refused', () => {
  test.each([
    '',
    '?',
    '?state=',
    '?state=x&code=y',
    '?code=y',
    '?error=access_denied',
    '?state=__proto__',
    `?state=${'x'.repeat(4000)}`,
    '?state[]=x&state=y',
    '?state=%00',
  ])('without a known state: /callback%s is 400', async (search) => {
    for (const path of ['/callback', '/redirect']) {
      const { status, text, headers } = await newBrowser().open(app.url + path + search)
      expect(status).toBe(400)
      expect(text).toContain('Sign-in failed')
      expectPageParts({ text, headers }, { heading: 'Sign-in failed', buttons: [] })
    }
  })

  test('in another browser, which consumes the state for the right one, too', async () => {
    const link = await login(app.url)
    const { browser, callback } = await stopBeforeCallback(app, link)
    expect((await newBrowser().open(callback)).status).toBe(403)
    const right = await fetch(callback, { headers: { cookie: cookieOf(browser.cookies) } })
    expect(right.status).toBe(400)
    expect(await sessionState(app.url, link.session)).toBe('anonymous')
  })

  test('with the cookie of another sign-in, even in the same browser', async () => {
    const [mine, other] = [await login(app.url), await login(app.url)]
    const one = await stopBeforeCallback(app, mine)
    const two = await stopBeforeCallback(app, other)
    const [name = ''] = one.browser.cookies.map((cookie) => cookie.name)
    const [value = ''] = two.browser.cookies.map((cookie) => cookie.value)
    const response = await fetch(one.callback, { headers: { cookie: `${name}=${value}` } })
    expect(response.status).toBe(403)
    expect(await sessionState(app.url, mine.session)).toBe('anonymous')
  })

  test('the second time', async () => {
    const link = await login(app.url)
    const { browser, callback } = await stopBeforeCallback(app, link)
    const headers = { cookie: cookieOf(browser.cookies) }
    expect((await fetch(callback, { headers })).status).toBe(200)
    expect((await fetch(callback, { headers })).status).toBe(400)
    expect(await sessionState(app.url, link.session)).toBe('authenticated')
  })

  test('of twenty concurrent callbacks all but one', async () => {
    const link = await login(app.url)
    const { browser, callback } = await stopBeforeCallback(app, link)
    const headers = { cookie: cookieOf(browser.cookies) }
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(callback, { headers })).status),
    )
    expect(answers.filter((status) => status === 200)).toHaveLength(1)
    expect(answers.filter((status) => status === 400)).toHaveLength(19)
  })

  test('when the session has ended meanwhile', async () => {
    const link = await login(app.url)
    const { browser, callback } = await stopBeforeCallback(app, link)
    await callWith(app.url, link.session, 'logout')
    const response = await fetch(callback, { headers: { cookie: cookieOf(browser.cookies) } })
    expect(response.status).toBe(410)
    expect(await response.text()).toContain('has ended')
  })

  test('when the user declined', async () => {
    const link = await login(app.url)
    const { browser, callback } = await stopBeforeCallback(app, link, { cancel: 'yes' })
    const response = await fetch(callback, { headers: { cookie: cookieOf(browser.cookies) } })
    expect(response.status).toBe(403)
    const text = await response.text()
    expect(text).toContain('cancelled or refused')
    expect(text).toContain('<code>login</code>')
    expect(await sessionState(app.url, link.session)).toBe('anonymous')
  })
})

test('stores states sealed, with a time-to-live', async () => {
  const before = written.length
  const { callback } = await stopBeforeCallback(app, await login(app.url))
  const pending = written.slice(before).filter(({ key }) => key.startsWith('sign-in-state:'))
  expect(pending).toHaveLength(1)
  expect(pending[0]?.ttlSeconds).toBe(600)
  expect(Object.keys(pending[0]?.value ?? {})).toEqual(['sealed'])
  expect(JSON.stringify(written.slice(before))).not.toContain(callback.searchParams.get('state'))
})

test('all stored entries expire', () => {
  const made = written.filter(({ ttlSeconds }) => ttlSeconds !== undefined)
  expect(made.length).toBeGreaterThan(50)
  for (const { ttlSeconds } of made) {
    expect(ttlSeconds).toBeGreaterThan(0)
    expect(ttlSeconds).toBeLessThanOrEqual(14 * 24 * 3600)
  }
})

function cookieOf(cookies: readonly { name: string; value: string }[]): string {
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}
