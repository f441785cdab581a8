/**
 * With LOGIN=at-authorize a session continues for the same user and client, in any browser, and for
 * nobody else: on Redis and three nodes.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  authorize,
  codeFor,
  consentPage,
  logout,
  openedSession,
  personsBrowser,
  rememberIn,
  serviceOwner,
  sessionOf,
  statusOf,
} from '../support/authorize-again.ts'
import type { OAuthClient, Tokens } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const WEB = 'https://client.example/callback'
/** Each test has a client of its own, and so its own users. */
let clients = 0

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  beforeAll(async () => {
    cluster = await startOAuthNodes({ LOGIN: 'at-authorize', MCP_AUTH: 'required' })
  })
  afterAll(() => cluster?.stop())

  async function newClient(metadata = {}): Promise<OAuthClient> {
    clients += 1
    return cluster.client({ metadata: { client_name: `Client ${clients}`, ...metadata } })
  }

  test.each([
    ['an app', undefined],
    ['a web client', WEB],
  ])(
    'of %s continues in any browser: MCP session, values and sign-in',
    async (_what, redirectUri) => {
      const client = await newClient(redirectUri && { redirect_uris: [redirectUri] })
      const { tokens, connection } = await openedSession(cluster.urls, client)
      const elsewhere = personsBrowser(redirectUri)
      const again = await authorize(client, elsewhere, { params: { scope: 'mcp service:read' } })
      expect(sessionOf(again)).toBe(sessionOf(tokens))
      for (const url of cluster.urls) {
        expect(await rememberIn(url, connection, again)).toBe('before')
        expect(await rememberIn(url, connection, tokens)).toBe('before')
        expect(await serviceOwner(url, again)).toBe('Ada Lovelace')
      }
      expect((await client.refresh(again.refresh_token)).status).toBe(200)
      expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
    },
  )

  test('of another person in the same browser is their own', async () => {
    const client = await newClient()
    const { browser, tokens, connection } = await openedSession(cluster.urls, client)
    const { page } = await consentPage(client, browser)
    expect(page.text).not.toContain('session you opened')
    for (const decision of ['allow', 'continue'] as const) {
      const other = await authorize(client, browser, { person: 'grace', decision })
      expect(sessionOf(other)).not.toBe(sessionOf(tokens))
      expect(await rememberIn(cluster.urls[0], connection, other)).toBe(404)
    }
    expect(await rememberIn(cluster.urls[1], connection, tokens)).toBe('before')
  })

  test('of the same person with another client is another', async () => {
    const client = await newClient()
    const { browser, tokens, connection } = await openedSession(cluster.urls, client)
    const other = await authorize(await newClient(), browser)
    expect(sessionOf(other)).not.toBe(sessionOf(tokens))
    expect(await rememberIn(cluster.urls[2], connection, other)).toBe(404)
  })

  test('is the same, however many sign in concurrently', async () => {
    const client = await newClient()
    const codes = await Promise.all(
      Array.from({ length: 5 }, () => codeFor(client, personsBrowser())),
    )
    const answers = await Promise.all(codes.map((code) => client.exchange(code)))
    const all = answers.map(({ body }) => body as unknown as Tokens)
    expect(new Set(all.map(sessionOf)).size).toBe(1)
    for (const each of all) expect(await statusOf(cluster.urls[0], each)).toBe(200)
  })

  test('that was cancelled leaves the previous session', async () => {
    const client = await newClient()
    const { browser, tokens, connection } = await openedSession(cluster.urls, client)
    const { page } = await consentPage(client, browser)
    const choice = await browser.open(page.url, { decision: 'allow' })
    const failed = await browser.open(choice.url, { cancel: 'yes' })
    await browser.open(failed.url, { decision: 'deny' })
    expect(await rememberIn(cluster.urls[0], connection, tokens)).toBe('before')
    expect(await serviceOwner(cluster.urls[1], tokens)).not.toBe('nobody')
  })

  describe('an MCP session whose session has ended', () => {
    test('continues for the same user in another browser, and for nobody else', async () => {
      const client = await newClient()
      const { browser, tokens, connection } = await openedSession(cluster.urls, client)
      await logout(cluster.urls[0], tokens)
      const other = await authorize(client, browser, { person: 'grace' })
      expect(await rememberIn(cluster.urls[1], connection, other)).toBe(404)
      const same = await authorize(client, personsBrowser())
      expect(sessionOf(same)).not.toBe(sessionOf(tokens))
      for (const url of cluster.urls) expect(await rememberIn(url, connection, same)).toBe('')
      expect(await rememberIn(cluster.urls[1], connection, other)).toBe(404)
    })
  })
})
