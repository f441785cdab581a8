/** Consent relay, forgery and confused deputy (CVE-2026-27124). */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { structured } from '../support/clients.ts'
import { type OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import {
  type AuthorizationUnderWay,
  beginAuthorization,
  type Cookies,
  sendWith,
} from '../support/raw-browser.ts'
import { openRedisAdmin } from '../support/redis-admin.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { type SignInLink, stopBeforeCallback } from '../support/sign-in.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  beforeAll(async () => {
    cluster = await startOAuthNodes()
    client = await cluster.client()
  })
  afterAll(() => cluster?.stop())

  const begin = (asking?: OAuthClient) => beginAuthorization(cluster, asking ?? client)
  const send = (path: string, cookies: Cookies, init?: RequestInit) =>
    sendWith(cluster, path, cookies, init)
  const answer = (uid: string, cookies: Cookies, decision = 'allow') =>
    send(`/consent/${uid}`, cookies, { method: 'POST', body: new URLSearchParams({ decision }) })

  /** Completes an authorization in the browser that began it. */
  async function expectCompletable({
    uid,
    cookies,
    verifier,
  }: AuthorizationUnderWay): Promise<void> {
    const { next } = await answer(uid, cookies)
    const { next: called } = await send(next, cookies)
    expect(called).toContain(`${REDIRECT_URI}?code=`)
    const code = new URL(called).searchParams.get('code') ?? ''
    expect(await client.exchange({ code, verifier })).toMatchObject({ status: 200 })
  }

  describe('the authorization of another user', () => {
    let own: AuthorizationUnderWay
    let others: AuthorizationUnderWay
    beforeEach(async () => {
      own = await begin()
      others = await begin()
    })

    /** Cookies to send instead of the one with this name; `other` names a cookie with a signature. */
    type Theft = (name: string, other: string) => Cookies
    const thefts: readonly [string, Theft][] = [
      ['no cookies', () => new Map()],
      ['cookies of an own one', () => new Map(others.cookies)],
      ['the id as a cookie', (name) => new Map([[name, own.uid]])],
      ['an own signature', (name) => new Map(others.cookies).set(name, own.uid)],
      [
        'a signature for another name',
        (name, other) => {
          const signature = own.cookies.get(`${other}.sig`) ?? expect.fail('no signature')
          return new Map([
            [name, own.uid],
            [`${name}.sig`, signature],
          ])
        },
      ],
    ]

    test.each(thefts)('is neither shown nor answered with %s', async (_what, cookiesOf) => {
      for (const _ of cluster.urls) {
        const shown = await send(`/consent/${own.uid}`, cookiesOf('oauth_consent', 'oauth_resume'))
        expect(shown.status).toBe(410)
        expect(shown.text).not.toContain('<form')
        for (const decision of ['allow', 'deny']) {
          expect(
            (await answer(own.uid, cookiesOf('oauth_consent', 'oauth_resume'), decision)).status,
          ).toBe(410)
        }
      }
      await expectCompletable(own)
    })

    test.each(thefts)('is not resumed with %s once it was allowed', async (_what, cookiesOf) => {
      const cookies = cookiesOf('oauth_resume', 'oauth_consent')
      const { next } = await answer(own.uid, own.cookies)
      expect(next).toBe(`/authorize/${own.uid}`)
      for (const _ of cluster.urls) {
        const resumed = await send(next, new Map(cookies))
        expect(resumed.status).toBeLessThan(500)
        // A browser with a pending authorization of its own continues that one.
        expect(resumed.next).not.toContain(own.uid)
        expect(resumed.next).not.toContain('code=')
      }
      expect((await send(next, own.cookies)).next).toContain('code=')
    })

    test('returns one code if it is resumed many times concurrently', async () => {
      const { next } = await answer(own.uid, own.cookies)
      const resumes = Array.from({ length: 30 }, () => send(next, new Map(own.cookies)))
      const answers = await Promise.all(resumes)
      const codes = answers.filter((each) => each.next.includes('code='))
      expect(codes.length).toBe(1)
      expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    })

    test('creates one session if it is allowed many times concurrently', async () => {
      const allowed = Array.from({ length: 20 }, () => answer(own.uid, new Map(own.cookies)))
      const answers = await Promise.all(allowed)
      expect(answers.filter(({ status }) => status >= 500)).toEqual([])
      await expectCompletable(own)
    })
  })

  describe('a forged decision', () => {
    const FORGED: readonly [string, RequestInit][] = [
      ['a page of another site', { headers: { 'sec-fetch-site': 'cross-site' } }],
      ['a page of a neighbour', { headers: { 'sec-fetch-site': 'same-site' } }],
      ['another origin', { headers: { origin: 'https://evil.example' } }],
      ['another port', { headers: { origin: 'http://localhost:1' } }],
      ['a sandboxed frame', { headers: { origin: 'null' } }],
      ['two sites', { headers: { 'sec-fetch-site': 'same-origin, cross-site' } }],
    ]
    test.each(FORGED)('from %s is 403, and creates no session', async (_where, init) => {
      const redis = await openRedisAdmin(cluster.redis)
      const own = await begin()
      const before = (await redis.keys('mcp:{ses_*')).length
      for (const decision of ['allow', 'deny']) {
        const body = new URLSearchParams({ decision })
        const forged = { ...init, method: 'POST', body }
        expect((await send(`/consent/${own.uid}`, own.cookies, forged)).status).toBe(403)
      }
      expect((await redis.keys('mcp:{ses_*')).length).toBe(before)
      redis.destroy()
      await expectCompletable(own)
    })

    test('is not accepted in a query', async () => {
      const own = await begin()
      const path = `/consent/${own.uid}`
      expect((await send(`${path}?decision=allow`, own.cookies)).text).toContain('<form')
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        expect((await send(path, own.cookies, { method })).status).toBe(405)
      }
      await expectCompletable(own)
    })

    test('cannot be obtained through a frame', async () => {
      const own = await begin()
      const pages = [
        await send(`/consent/${own.uid}`, own.cookies),
        await send('/consent/unknown', new Map()),
        await send('/authorize?client_id=unknown', new Map()),
        await send(`/authorize/${own.uid}`, new Map()),
        await send('/connect/unknown', new Map()),
      ]
      for (const { headers } of pages) {
        expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
        expect(headers.get('content-security-policy')).toContain("default-src 'none'")
        expect(headers.get('x-frame-options')).toBe('DENY')
        expect(headers.get('referrer-policy')).toBe('same-origin')
        expect(headers.get('cache-control')).toContain('no-store')
      }
    })
  })

  describe('a second client, in a browser that authorized a first one', () => {
    const HERS = 'https://evil.example/callback'
    let second: OAuthClient
    let cookies: Cookies
    beforeEach(async () => {
      second = await cluster.client({ metadata: { redirect_uris: [HERS] } })
      const first = await begin()
      cookies = first.cookies
      // The best case for an attacker: every cookie that was ever set, in every request.
      const kept = new Map(cookies)
      const { next } = await answer(first.uid, cookies)
      for (const [name, value] of cookies) kept.set(name, value)
      expect((await send(next, cookies)).next).toContain('code=')
      for (const [name, value] of kept) cookies.set(name, value)
      cookies.set('oauth_session', first.uid)
      cookies.set('oauth_session.legacy', first.uid)
    })

    test('has a consent page of its own, and so has the first one', async () => {
      for (const asking of [second, client]) {
        const { url } = asking.request()
        const { next } = await send(`/authorize${url.search}`, cookies)
        const shown = await send(next, cookies)
        expect(shown.text).toMatch(/<h1>Authorize [^<]+\?<\/h1>/)
        expect(shown.text).toContain(asking === second ? 'evil.example' : '127.0.0.1')
      }
    })

    test.each(['none', 'none consent'])(
      'gets nothing without consent (prompt=%s)',
      async (prompt) => {
        const { url } = second.request({ prompt })
        // Nobody has authorized it: not even the error goes to its address.
        const { next, text } = await send(`/authorize${url.search}`, cookies)
        expect(next).toBe('')
        expect(text).toMatch(/login_required|consent_required|invalid_request/)
      },
    )

    test('gets a session of its own, and cannot use the code of the first', async () => {
      const session = async (asking: OAuthClient) => {
        const { access_token: token } = await asking.connect()
        return (await asking.introspect(token)).body.session_id
      }
      expect(await session(second)).not.toBe(await session(client))
      const { code, verifier } = await client.authorize()
      const stolen = await second.exchange({ code, verifier }, { redirect_uri: REDIRECT_URI })
      expect(stolen).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    })
  })

  test('a sign-in that begins in one browser does not end in another', async () => {
    const { access_token: token } = await client.connect()
    const headers = withToken(token)
    const { message } = await read(
      postModern(cluster.url, 'tools/call', { name: 'login' }, { headers }),
    )
    const link = structured<SignInLink>(message.result ?? {})
    const unasked = await createBrowser().open(link.url, {})
    expect(unasked.status).toBe(403)
    const { browser, callback } = await stopBeforeCallback(cluster, link)
    expect((await createBrowser().open(callback)).status).toBe(403)
    expect((await browser.open(callback)).status).toBe(400)
    const call = await read(postModern(cluster.url, 'tools/call', { name: 'service' }, { headers }))
    expect(JSON.stringify(call.message.result)).toContain('login_required')
  })

  test('no fault was logged', () => {
    const lines = cluster.nodes.flatMap((each) => each.lines)
    expect(lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  })
})
