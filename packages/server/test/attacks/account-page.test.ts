/**
 * Attacks on the account page, on three nodes: CSRF, ids of other users, framing, session fixation.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from '../../src/testing/form-browser.ts'
import {
  callWith,
  idsIn,
  makeToken,
  openAccount,
  signInToAccount,
  statusWith,
  submitTokenForm,
  TOKEN,
} from '../support/account.ts'
import { authorize, personsBrowser, signIn } from '../support/authorize-again.ts'
import type { OAuthClient } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const BOTH = { params: { scope: 'mcp service:read' } }

const cookieOf = ({ cookies }: Browser) =>
  cookies.map(({ name, value }) => `${name}=${value}`).join('; ')

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  let url: string
  beforeAll(async () => {
    cluster = await startOAuthNodes({ PERSONAL_TOKEN_DAYS: '30', REFRESH_GRACE: '0' })
    client = await cluster.client()
    url = cluster.url
  })
  afterAll(() => cluster?.stop())

  async function connected(person: 'ada' | 'grace' = 'ada') {
    const browser = personsBrowser()
    const tokens = await authorize(client, browser, BOTH)
    await signIn(url, tokens, browser, person)
    const page = (await signInToAccount(url, person, browser)).page
    return { browser, tokens, page, ids: idsIn(page, 'clients') }
  }

  test('shows users the clients of all their browsers, and no other user', async () => {
    const [ada, grace] = [await connected('ada'), await connected('grace')]
    const elsewhere = await signInToAccount(cluster.urls[0], 'ada')
    expect(idsIn(elsewhere.page, 'clients')).toEqual(expect.arrayContaining([...ada.ids]))
    for (const id of grace.ids) expect(elsewhere.page.text).not.toContain(id)
    expect(grace.page.text).not.toContain('ada@')
    const stranger = await openAccount(url, personsBrowser())
    expect(idsIn(stranger, 'clients')).toEqual([])
    expect(stranger.text).toContain('action" value="sign_in"')
  })

  test('a browser that signs in as another user does not see the first user', async () => {
    const { browser, ids } = await connected('ada')
    await browser.open(`${url}/account`, { action: 'sign_out' })
    const page = await openAccount(url, browser)
    for (const id of ids) expect(page.text).not.toContain(id)
    const other = await signInToAccount(url, 'grace', browser)
    for (const id of ids) expect(other.page.text).not.toContain(id)
  })

  test("ids of another user's client or token have no effect", async () => {
    const victim = await connected('grace')
    const made = await makeToken(url, {}, 'grace')
    const [tokenId = ''] = idsIn(await openAccount(url, made.browser), 'tokens')
    const { browser } = await connected('ada')
    for (const id of [...victim.ids, tokenId]) {
      for (const form of [
        { action: 'remove', id },
        { action: 'narrow', id },
        { action: 'sign_out_upstream', id, upstream: 'demo' },
      ]) {
        expect((await browser.open(`${url}/account`, form)).url.search).toBe('?done=unknown')
      }
    }
    expect(await statusWith(url, made.token)).toBe(200)
    expect((await callWith(url, victim.tokens.access_token, 'service')).isError).toBe(false)
  })

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['another site of the same domain', { 'sec-fetch-site': 'same-site' }],
    ['another port', { origin: 'http://localhost:1' }],
    ['a page without an origin', { origin: 'null' }],
  ])('a form of %s is refused, whatever it asks', async (_what, headers) => {
    const { browser, ids, tokens } = await connected()
    for (const action of ['remove', 'narrow', 'make_token', 'sign_in', 'sign_out']) {
      const body = new URLSearchParams({
        action,
        id: ids[0] ?? '',
        name: 'x',
        days: '7',
        scope: 'mcp',
      })
      const answer = await fetch(`${url}/account`, {
        ...{ method: 'POST', body, redirect: 'manual' },
        headers: { ...headers, cookie: cookieOf(browser) },
      })
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []])
      expect(await answer.text()).not.toMatch(TOKEN)
    }
    expect(await statusWith(url, tokens.access_token)).toBe(200)
  })

  test.each(['text/plain', 'application/json', 'multipart/form-data; boundary=x'])(
    'a body of type %s is refused',
    async (type) => {
      const { browser, tokens, ids } = await connected()
      const answer = await fetch(`${url}/account`, {
        ...{ method: 'POST', body: `action=remove&id=${ids[0]}` },
        headers: { 'content-type': type, cookie: cookieOf(browser) },
      })
      expect(answer.status).toBe(415)
      expect(await statusWith(url, tokens.access_token)).toBe(200)
    },
  )

  test('the page runs no script, is not framed and not stored; its cookie is hidden', async () => {
    const { browser, page } = await connected()
    for (const shown of [page, await submitTokenForm(url, browser)]) {
      expect(shown.headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      )
      expect(shown.headers.get('x-frame-options')).toBe('DENY')
      expect(shown.headers.get('cache-control')).toBe('no-store')
      expect(shown.text).not.toMatch(/<script|javascript:| on\w+=/)
    }
    const left = await fetch(`${url}/account`, {
      ...{ method: 'POST', body: new URLSearchParams({ action: 'sign_in' }), redirect: 'manual' },
    })
    const set = left.headers.getSetCookie().find((each) => each.startsWith('mcp-account=')) ?? ''
    expect(set).toMatch(/HttpOnly/)
    expect(set).toMatch(/SameSite=Lax/)
    expect(set).toMatch(/Max-Age=1800/)
  })

  test.each(['<script>', 'constructor', '__proto__', 'removed%22%3E'])(
    'the query of the URL is not shown: %s',
    async (code) => {
      const page = await personsBrowser().open(`${url}/account?done=${code}&sign_in=${code}`)
      expect(page.status).toBe(200)
      expect(page.text).not.toContain('<script>')
      expect(page.text).not.toContain('removed">')
    },
  )

  test('a sign-in that another browser started signs nobody in (session fixation)', async () => {
    const attacker = personsBrowser()
    const victim = personsBrowser()
    const started = await fetch(`${url}/account`, {
      ...{ method: 'POST', body: new URLSearchParams({ action: 'sign_in' }), redirect: 'manual' },
    })
    const choice = await victim.open(started.headers.get('location') ?? '')
    const stopped = await victim.open(choice.url, { person: 'grace' })
    expect(stopped.status).toBe(403)
    for (const header of started.headers.getSetCookie()) {
      const [name = '', value = ''] = (header.split(';')[0] ?? '').split('=')
      attacker.cookies.push({ name, value, path: '/', host: 'localhost' })
    }
    expect((await openAccount(url, attacker)).text).not.toContain('Sign out of this page')
  })
})
