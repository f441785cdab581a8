/**
 * The end of a session with several grants, and who may continue its MCP session: on Redis and
 * three nodes, with LOGIN=on-demand.
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
  signIn,
  statusOf,
} from '../support/authorize-again.ts'
import type { OAuthClient, Tokens } from '../support/oauth-client.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { describeRedis } from '../support/redis-suite.ts'

const WIDER = { scope: 'mcp service:read' }

describeRedis('plain', 'on three nodes', () => {
  let cluster: OAuthNodes
  let client: OAuthClient
  beforeAll(async () => {
    cluster = await startOAuthNodes({ REFRESH_GRACE: '0' })
    client = await cluster.client()
  })
  afterAll(() => cluster?.stop())
  const opened = () => openedSession(cluster.urls, client)

  describe('revocation', () => {
    test('of one of two grants leaves the other and the session; of the last ends it', async () => {
      const { browser, tokens, connection } = await opened()
      const second = await authorize(client, browser, { params: WIDER })
      await signIn(cluster.urls[0], second, browser)
      expect((await client.revoke(tokens.refresh_token)).status).toBe(200)
      for (const url of cluster.urls) {
        expect(await statusOf(url, tokens)).toBe(401)
        expect(await rememberIn(url, connection, second)).toBe('before')
      }
      expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
      const refreshed = await client.refresh(second.refresh_token)
      const third = refreshed.body as unknown as Tokens
      expect((await client.revoke(third.refresh_token)).status).toBe(200)
      for (const each of [second, third]) expect(await statusOf(cluster.urls[1], each)).toBe(401)
      expect((await client.refresh(third.refresh_token)).status).toBe(400)
      // The MCP session moves to the next authorization, without anything of the ended session.
      const { page } = await consentPage(client, browser)
      expect(page.text).not.toContain('session you opened')
      const anew = await authorize(client, browser)
      expect(sessionOf(anew)).not.toBe(sessionOf(tokens))
      for (const url of cluster.urls) expect(await rememberIn(url, connection, anew)).toBe('')
      expect(await serviceOwner(cluster.urls[2], anew)).toBe('nobody')
    })

    test('by reuse of a refresh token affects only its own family', async () => {
      const { browser, tokens, connection } = await opened()
      const second = await authorize(client, browser)
      expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
      expect((await client.refresh(tokens.refresh_token)).status).toBe(400)
      expect(await statusOf(cluster.urls[0], tokens)).toBe(401)
      expect(await rememberIn(cluster.urls[1], connection, second)).toBe('before')
      expect((await client.refresh(second.refresh_token)).status).toBe(200)
    })

    test('logout ends all grants of the session', async () => {
      const { browser, tokens } = await opened()
      const second = await authorize(client, browser)
      await logout(cluster.urls[2], second)
      for (const each of [tokens, second]) {
        for (const url of cluster.urls) expect(await statusOf(url, each)).toBe(401)
        expect((await client.refresh(each.refresh_token)).status).toBe(400)
      }
    })

    test('of the last grant and a consent at the same moment fail closed', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { browser, tokens } = await opened()
        const [second] = await Promise.all([
          codeFor(client, browser).catch(() => undefined),
          client.revoke(tokens.refresh_token),
        ])
        expect(await statusOf(cluster.urls[0], tokens)).toBe(401)
        if (second === undefined) continue
        const { status, body } = await client.exchange(second)
        // Both outcomes are safe: a valid token, or the client has to authorize again.
        if (status === 200) {
          expect([200, 401]).toContain(await statusOf(cluster.urls[1], body as unknown as Tokens))
        }
      }
    })
  })

  describe('an MCP session whose session has ended', () => {
    async function ended() {
      const before = await opened()
      await logout(cluster.urls[0], before.tokens)
      return before
    }

    test('continues for the same browser and client, on all nodes', async () => {
      const { browser, connection } = await ended()
      const anew = await authorize(client, browser)
      const answers = await Promise.all(
        [...cluster.urls, ...cluster.urls].map((url) => rememberIn(url, connection, anew)),
      )
      expect(answers).toEqual(Array(6).fill(''))
      await rememberIn(cluster.urls[0], connection, anew, 'after')
      expect(await rememberIn(cluster.urls[1], connection, anew)).toBe('after')
    })

    test('is unknown to another browser, another client, and the ended session', async () => {
      const { browser, connection, tokens } = await ended()
      const elsewhere = await authorize(client, personsBrowser())
      const other = await cluster.client({ metadata: { client_name: 'Another client' } })
      const others = await authorize(other, browser)
      for (const url of cluster.urls) {
        expect(await rememberIn(url, connection, elsewhere)).toBe(404)
        expect(await rememberIn(url, connection, others)).toBe(404)
        expect(await rememberIn(url, connection, tokens)).toBe(401)
      }
    })

    test('that was moved is not moved back', async () => {
      const { browser, connection } = await ended()
      const first = await authorize(client, browser)
      const parallel = await authorize(client, browser, { decision: 'anew' })
      expect(await rememberIn(cluster.urls[0], connection, first)).toBe('')
      expect(await rememberIn(cluster.urls[1], connection, parallel)).toBe(404)
    })
  })
})
