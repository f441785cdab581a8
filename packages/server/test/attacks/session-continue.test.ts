/**
 * Authorizing a client again continues its live session, for the same browser and client and for
 * nobody else: on Redis and three nodes, with LOGIN=on-demand.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from '../../src/testing/form-browser.ts'
import {
  authorize,
  codeFor,
  consentPage,
  openedSession,
  personsBrowser,
  remember,
  rememberIn,
  serviceOwner,
  sessionOf,
  signIn,
} from '../support/authorize-again.ts'
import { claimsOf, type OAuthClient, REDIRECT_URI, type Tokens } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const WIDER = { scope: 'mcp service:read' }

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  beforeAll(async () => {
    cluster = await startOAuthNodes()
    client = await cluster.client()
  })
  afterAll(() => cluster?.stop())

  const opened = (by = client) => openedSession(cluster.urls, by)

  /** The store's record of the session, as if unused for this many minutes. */
  async function idle(tokens: Tokens, minutes: number): Promise<void> {
    const { store } = cluster.nodes[0] ?? expect.fail('no node')
    const lastActiveAt = Date.now() - minutes * 60_000
    await store.patch(`{${sessionOf(tokens)}}:session`, { lastActiveAt })
  }

  async function expectAnew(tokens: Tokens, before: Tokens, connection: string) {
    expect(sessionOf(tokens)).not.toBe(sessionOf(before))
    for (const url of cluster.urls) {
      expect(await remember(url, tokens)).toBe('')
      expect(await rememberIn(url, connection, tokens)).toBe(404)
      expect(await rememberIn(url, connection, before)).toBe('before')
    }
  }

  describe('the same browser and client', () => {
    test('continues: MCP session, values and sign-in, with the new scopes for the new token only', async () => {
      const { browser, tokens, connection } = await opened()
      await signIn(cluster.urls[2], tokens, browser)
      expect(await serviceOwner(cluster.urls[0], tokens)).toBe(403)
      const { page } = await consentPage(client, browser)
      expect(page.text).toMatch(
        /It continues the session you opened <time [^>]+ GMT">just now<\/time>/,
      )
      expect(page.text).toContain('in which you are signed in')
      const wider = await authorize(client, browser, { params: WIDER })
      expect(sessionOf(wider)).toBe(sessionOf(tokens))
      expect(claimsOf(wider.access_token).grant_id).not.toBe(claimsOf(tokens.access_token).grant_id)
      for (const url of cluster.urls) {
        expect(await rememberIn(url, connection, wider)).toBe('before')
        expect(await serviceOwner(url, wider)).toBe('Ada Lovelace')
        expect(await serviceOwner(url, tokens)).toBe(403)
      }
      const widened = await client.refresh(tokens.refresh_token, WIDER)
      expect(widened.status).toBe(400)
    })

    test('continues if the client registers again, as Go clients do, or uses another port', async () => {
      const { browser, tokens, connection } = await opened()
      const again = await cluster.client()
      expect(sessionOf(await authorize(again, browser))).toBe(sessionOf(tokens))
      const redirect_uri = REDIRECT_URI.replace('33418', '49152')
      const other = await authorize(client, browser, { params: { redirect_uri } })
      expect(await rememberIn(cluster.urls[2], connection, other)).toBe('before')
    })

    test('ten concurrent consents lead to one session with ten grants', async () => {
      const { browser, tokens } = await opened()
      const many = await Promise.all(Array.from({ length: 10 }, () => codeParts(browser)))
      const exchanged = await Promise.all(many.map((each) => client.exchange(each)))
      const all = exchanged.map(({ body }) => body as unknown as Tokens)
      expect(new Set(all.map(sessionOf))).toEqual(new Set([sessionOf(tokens)]))
      const grants = all.map(({ access_token: token }) => claimsOf(token).grant_id)
      expect(new Set(grants).size).toBe(10)
    })

    /** Cookies of one authorization only, and that of the browser. */
    async function codeParts({ cookies }: Browser) {
      const own = personsBrowser()
      own.cookies.push(...cookies.filter(({ name }) => name === 'mcp-browser'))
      return codeFor(client, own)
    }

    test('starts a new session if the user chooses that; the old session stays valid', async () => {
      const { browser, tokens, connection } = await opened()
      const anew = await authorize(client, browser, { decision: 'anew' })
      await expectAnew(anew, tokens, connection)
    })

    test('denies, and the session stays valid', async () => {
      const { browser, tokens, connection } = await opened()
      const { page } = await consentPage(client, browser)
      const { url } = await browser.open(page.url, { decision: 'deny' })
      expect(url.searchParams.get('error')).toBe('access_denied')
      expect(await rememberIn(cluster.urls[0], connection, tokens)).toBe('before')
      expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
    })
  })

  describe('nobody else', () => {
    test('another browser', async () => {
      const { tokens, connection } = await opened()
      await expectAnew(await authorize(client, personsBrowser()), tokens, connection)
    })

    test.each([
      ['guessed', () => 'A'.repeat(43)],
      ['mangled', (value: string) => `${value.slice(0, -1)}_`],
      ['cut', (value: string) => value.slice(0, -1)],
      ['hashed', () => 'x'],
    ])('a browser whose cookie is %s', async (_what, forge) => {
      const { browser, tokens, connection } = await opened()
      const known = browser.cookies.find(({ name }) => name === 'mcp-browser')
      const forged = personsBrowser()
      if (known !== undefined) forged.cookies.push({ ...known, value: forge(known.value) })
      await expectAnew(await authorize(client, forged), tokens, connection)
    })

    test.each([
      ['of another name', { client_name: 'Another client' }],
      ['with another path', { redirect_uris: ['http://127.0.0.1:33418/callback/other'] }],
      ['with another name of the machine', { redirect_uris: ['http://localhost:33418/callback'] }],
      ['on the web', { redirect_uris: ['https://client.example/callback'] }],
      ['without a name', { client_name: '' }],
    ])('a client %s', async (_what, metadata) => {
      const { browser, tokens, connection } = await opened()
      const other = await cluster.client({ metadata })
      const [redirect = REDIRECT_URI] = other.registration.redirect_uris as string[]
      const its = personsBrowser(redirect)
      its.cookies.push(...browser.cookies.filter(({ name }) => name === 'mcp-browser'))
      const { page } = await consentPage(other, its)
      expect(page.text).not.toContain('session you opened')
      await expectAnew(await authorize(other, its), tokens, connection)
    })

    test("a web client, whose account may be another user's, even with the same redirect URI", async () => {
      const redirect = 'https://client.example/callback'
      const web = await cluster.client({ metadata: { redirect_uris: [redirect] } })
      const { browser, tokens, connection } = await opened(web)
      await expectAnew(await authorize(web, browser), tokens, connection)
      const choosing = await authorize(web, browser, { decision: 'continue' })
      await expectAnew(choosing, tokens, connection)
    })

    test('a client of the same name after the session was idle, unless the user chooses that', async () => {
      const { browser, tokens, connection } = await opened()
      await idle(tokens, 16)
      const again = await cluster.client()
      const { page } = await consentPage(again, browser)
      expect(page.text).toContain('It starts with a new session')
      await expectAnew(await authorize(again, browser), tokens, connection)
      const { browser: second, tokens: hers } = await opened()
      await idle(hers, 16)
      const chosen = await authorize(again, second, { decision: 'continue' })
      expect(sessionOf(chosen)).toBe(sessionOf(hers))
    })

    test('the same client_id needs no recent use', async () => {
      const { browser, tokens } = await opened()
      await idle(tokens, 600)
      expect(sessionOf(await authorize(client, browser))).toBe(sessionOf(tokens))
    })
  })
})
