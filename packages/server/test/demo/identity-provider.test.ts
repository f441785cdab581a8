/** Signing in at the demo's provider with our own client: over HTTP, with forms and cookies. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { recordingStore } from '../support/recording-store.ts'
import { bank, callbackAfter, newCheck, REDIRECT_URI, signIn, startDemo } from './demo-server.ts'

const spies = (['info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name))
beforeEach(() => {
  for (const spy of spies) spy.mockClear()
})
afterEach(() => {
  for (const spy of spies) expect(spy).not.toHaveBeenCalled()
})

describe('signing in', () => {
  test('asks for the person and returns credentials', async () => {
    const demo = await startDemo()
    const credentials = await signIn(demo, 'grace')
    expect(credentials.account).toEqual({
      sub: 'grace',
      name: 'Grace Hopper',
      email: 'grace@example.com',
    })
    expect(credentials.refreshToken).toBeTypeOf('string')
    expect(credentials.expiresAt).toBeGreaterThan(Date.now() + 290_000)
    expect(credentials.expiresAt).toBeLessThanOrEqual(Date.now() + 300_000)
    expect(demo.errors).toEqual([])
  })

  test('shows two people on a page that may load nothing', async () => {
    const demo = await startDemo()
    const browser = createBrowser(REDIRECT_URI)
    const page = await browser.open(await demo.provider.authorizationUrl(REDIRECT_URI, newCheck()))
    expect(page.url.pathname).toMatch(/^\/demo\/idp\/interaction\/[\w-]+$/)
    expect(page.text).toContain('Ada Lovelace')
    expect(page.text).toContain('Grace Hopper')
    expect(page.text).not.toMatch(/<script|https?:|password"/)
    const csp = page.headers.get('content-security-policy')
    expect(csp).toMatch(/default-src 'none'.*style-src 'sha256-.*frame-ancestors 'none'/)
    expect(csp).not.toContain('form-action')
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(page.headers.get('referrer-policy')).toBe('same-origin')
  })

  test('asks again at the next sign-in in the same browser', async () => {
    const demo = await startDemo()
    const browser = createBrowser(REDIRECT_URI)
    for (const person of ['ada', 'grace']) {
      const check = newCheck()
      const page = await browser.open(await demo.provider.authorizationUrl(REDIRECT_URI, check))
      const end = await browser.open(page.url, { person })
      const { account } = await demo.provider.exchange(end.url, REDIRECT_URI, check)
      expect(account?.sub).toBe(person)
    }
    expect(browser.cookies.map(({ name }) => name)).not.toContain('demo_session')
  })

  test('that is cancelled is access_denied', async () => {
    const demo = await startDemo()
    const check = newCheck()
    const url = await callbackAfter(demo, check, { cancel: 'yes' })
    expect(url.searchParams.get('error')).toBe('access_denied')
    await expect(demo.provider.exchange(url, REDIRECT_URI, check)).rejects.toMatchObject({
      code: 'access_denied',
    })
  })

  test('cannot be finished in another browser', async () => {
    const demo = await startDemo()
    const url = await demo.provider.authorizationUrl(REDIRECT_URI, newCheck())
    const page = await createBrowser(REDIRECT_URI).open(url)
    const other = await createBrowser(REDIRECT_URI).open(page.url, { person: 'ada' })
    expect(other.status).toBe(400)
    expect(other.text).toContain('Start again')
  })

  test('with an unknown redirect URI ends on a page of the provider', async () => {
    const demo = await startDemo()
    const url = await demo.provider.authorizationUrl('https://evil.example/cb', newCheck())
    const page = await createBrowser('https://evil.example').open(url)
    expect(page.status).toBe(400)
    expect(page.url.origin).toBe(demo.origin)
    expect(page.text).toContain('invalid_redirect_uri')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })
})

describe('checks', () => {
  test.each([
    ['state', 'invalid_response'],
    ['nonce', 'invalid_response'],
    ['codeVerifier', 'invalid_grant'],
  ] as const)('refuse another %s', async (field, code) => {
    const demo = await startDemo()
    const check = newCheck()
    const url = await callbackAfter(demo, check, { person: 'ada' })
    const wrong = { ...check, [field]: newCheck()[field] }
    const exchange = demo.provider.exchange(url, REDIRECT_URI, wrong)
    await expect(exchange).rejects.toMatchObject({ code })
  })

  test('refuse the response of another issuer', async () => {
    const demo = await startDemo()
    const check = newCheck()
    const url = await callbackAfter(demo, check, { person: 'ada' })
    url.searchParams.set('iss', 'https://evil.example')
    const exchange = demo.provider.exchange(url, REDIRECT_URI, check)
    await expect(exchange).rejects.toMatchObject({ code: 'invalid_response' })
  })

  test('refuse an authorization request without PKCE', async () => {
    const demo = await startDemo()
    const check = newCheck()
    const url = await demo.provider.authorizationUrl(REDIRECT_URI, check)
    url.searchParams.delete('code_challenge')
    url.searchParams.delete('code_challenge_method')
    const end = await createBrowser(REDIRECT_URI).open(url)
    expect(end.url.searchParams.get('error')).toBe('invalid_request')
  })

  test('permit one of twenty exchanges of a code', async () => {
    const demo = await startDemo()
    const check = newCheck()
    const url = await callbackAfter(demo, check, { person: 'ada' })
    const exchanges = Array.from({ length: 20 }, () =>
      demo.provider.exchange(url, REDIRECT_URI, check).then(
        () => 'success',
        (error) => error.code,
      ),
    )
    const outcomes = await Promise.all(exchanges)
    expect(outcomes.filter((each) => each === 'success')).toHaveLength(1)
    expect(new Set(outcomes)).toEqual(new Set(['success', 'invalid_grant']))
  })
})

describe('credentials', () => {
  test('are refreshed, and the old refresh token is used up', async () => {
    const demo = await startDemo()
    const first = await signIn(demo)
    const second = await demo.provider.refresh(first)
    expect(second.accessToken).not.toBe(first.accessToken)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(second.account).toEqual(first.account)
    expect((await bank(demo, '/accounts/me', second.accessToken)).status).toBe(200)
    const again = demo.provider.refresh(first)
    await expect(again).rejects.toMatchObject({ code: 'invalid_grant' })
  })

  test('whose refresh token was replayed are revoked', async () => {
    const demo = await startDemo()
    const first = await signIn(demo)
    const second = await demo.provider.refresh(first)
    await demo.provider.refresh(first).catch(() => {})
    expect((await bank(demo, '/accounts/me', second.accessToken)).status).toBe(401)
    await expect(demo.provider.refresh(second)).rejects.toMatchObject({ code: 'invalid_grant' })
  })

  test('that are revoked are invalid', async () => {
    const demo = await startDemo()
    const credentials = await signIn(demo)
    const other = await signIn(demo)
    await demo.provider.revoke(credentials)
    expect((await bank(demo, '/accounts/me', credentials.accessToken)).status).toBe(401)
    await expect(demo.provider.refresh(credentials)).rejects.toMatchObject({
      code: 'invalid_grant',
    })
    expect((await bank(demo, '/accounts/me', other.accessToken)).status).toBe(200)
  })

  test('expire after the configured time', async () => {
    const demo = await startDemo({ accessTokenTtlSeconds: 2 })
    const credentials = await signIn(demo)
    await vi.waitFor(
      async () => {
        const { status } = await bank(demo, '/accounts/me', credentials.accessToken)
        expect(status).toBe(401)
      },
      { timeout: 30_000, interval: 100 },
    )
    const { accessToken } = await demo.provider.refresh(credentials)
    expect((await bank(demo, '/accounts/me', accessToken)).status).toBe(200)
  })

  test('cannot be read from the store', async () => {
    const { store, written } = recordingStore()
    const credentials = await signIn(await startDemo({ store }))
    const all = JSON.stringify(written)
    expect(all).toContain('AccessToken')
    expect(all).not.toContain(credentials.accessToken)
    expect(all).not.toContain(credentials.refreshToken)
  })
})

test('a form that is too large is refused', async () => {
  const demo = await startDemo()
  const browser = createBrowser(REDIRECT_URI)
  const page = await browser.open(await demo.provider.authorizationUrl(REDIRECT_URI, newCheck()))
  expect((await browser.open(page.url, { person: 'a'.repeat(5000) })).status).toBe(400)
})
