/** Three nodes on one Redis are one authorization server. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Browser, createBrowser } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { untilReady } from '../support/cluster.ts'
import { expectWithin } from '../support/expect-within.ts'
import { createOAuthClient, type OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import type { RedisServer } from '../support/redis.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { postModern, read } from '../support/wire.ts'

type Cookies = Browser['cookies']

/** A later exchange is a replay, which revokes the tokens. */
const RACE_MS = 2000
const REFUSED = { status: 400, body: { error: 'invalid_grant' } }

async function isActive(client: OAuthClient, token: unknown): Promise<boolean> {
  const { body } = await client.introspect(String(token))
  return body.active === true
}

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `authorizing on three nodes with Redis (${kind})`, () => {
    let redis: RedisServer
    let apps: TestApp[]
    /** All have the public URL of the first. */
    let url: string
    const nodes = () => apps.map(({ localUrl }) => localUrl)

    async function startAll(): Promise<void> {
      const REDIS_URL = redis.url
      const first = await startApp({
        env: { REDIS_URL, ...(url && { PUBLIC_URL: url }) },
      })
      url ??= first.url
      const others = [1, 2].map(() => startApp({ env: { REDIS_URL, PUBLIC_URL: url } }))
      apps = [first, ...(await Promise.all(others))]
      await Promise.all(nodes().map((each) => untilReady(Number(new URL(each).port))))
    }
    beforeAll(async () => {
      redis = await startSuiteRedis(kind)
      await startAll()
    })
    afterAll(async () => {
      await Promise.all(apps.map((app) => app.stop()))
      await redis.stop()
    })

    test('of fifty parallel exchanges one succeeds, and a later one revokes it', async () => {
      const client = await createOAuthClient(url, { nodes: nodes() })
      const { authorization, won } = await expectWithin(RACE_MS, async () => {
        const authorization = await client.authorize()
        const uses = Array.from({ length: 50 }, () => client.exchange(authorization))
        const answers = await Promise.all(uses)
        const won = answers.filter(({ status }) => status === 200)
        expect(won).toHaveLength(1)
        return { authorization, won }
      })
      expect(await isActive(client, won[0]?.body.access_token)).toBe(true)
      await expect
        .poll(
          async () => {
            expect(await client.exchange(authorization)).toMatchObject(REFUSED)
            return isActive(client, won[0]?.body.access_token)
          },
          { interval: 300 },
        )
        .toBe(false)
    })

    test('twenty parallel refreshes give one successor', async () => {
      const client = await createOAuthClient(url, { nodes: nodes() })
      const { refresh_token: token } = await client.connect()
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(token)))
      const successors = new Set(answers.map(({ body }) => body.refresh_token))
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
      expect(successors.size).toBe(1)
      const [successor] = successors
      expect(await client.refresh(String(successor))).toMatchObject({ status: 200 })
    })

    test('a token that one node revoked is refused by the others, even during a refresh', async () => {
      const client = await createOAuthClient(url, { nodes: nodes() })
      const { access_token: access, refresh_token: token } = await client.connect()
      const refreshes = Array.from({ length: 10 }, () => client.refresh(token))
      await client.revoke(token)
      const answers = await Promise.all(refreshes)
      for (const { body } of answers.filter(({ status }) => status === 200)) {
        expect(await isActive(client, body.access_token)).toBe(false)
        expect(await client.refresh(String(body.refresh_token))).toMatchObject(REFUSED)
      }
      for (const _ of apps) expect(await isActive(client, access)).toBe(false)
    })

    test('a flow is allowed on one node, signed in on another, and finished on the third', async () => {
      const login = { LOGIN: 'at-authorize', REDIS_URL: redis.url, PUBLIC_URL: url }
      const [b, c] = await Promise.all([startApp({ env: login }), startApp({ env: login })])
      apps.push(b, c)
      const client = await createOAuthClient(url, { nodes: [c.localUrl] })
      const { url: address, verifier } = client.request()
      /** Continues at another node with the same cookies, up to the next redirect. */
      const at = (node: TestApp, page: URL, cookies: Cookies, stopAt: string) => {
        const browser = createBrowser(stopAt)
        browser.cookies.push(...cookies)
        const open = (form?: Record<string, string>) =>
          browser.open(new URL(page.pathname + page.search, node.localUrl), form)
        return { browser, open }
      }
      const asked = createBrowser()
      const consent = await asked.open(address)
      const first = at(b, consent.url, asked.cookies, `${url}/callback`)
      const choice = await first.open({ decision: 'allow' })
      const returned = await first.browser.open(choice.url, { person: 'ada' })
      const second = at(c, returned.url, first.browser.cookies, `${url}/consent`)
      const signedIn = await second.open()
      const third = at(b, signedIn.url, second.browser.cookies, REDIRECT_URI)
      const { url: called } = await third.open()
      const code = called.searchParams.get('code') ?? ''
      const { body } = await client.exchange({ code, verifier })
      const headers = { authorization: `Bearer ${body.access_token}` }
      const call = postModern(c.localUrl, 'tools/call', { name: 'service' }, { headers })
      const { message } = await read(call)
      expect(structured(message.result ?? {})).toMatchObject({ owner: 'Ada Lovelace' })
    })

    test('another release keeps clients, grants and pending authorizations', async () => {
      const client = await createOAuthClient(url, { nodes: nodes() })
      const tokens = await client.connect()
      const authorization = await client.authorize()
      await Promise.all(apps.map((app) => app.stop()))
      await startAll()
      const { id: client_id } = client
      const again = await createOAuthClient(url, { known: { client_id }, nodes: nodes() })
      expect(await isActive(again, tokens.access_token)).toBe(true)
      expect(await again.refresh(tokens.refresh_token)).toMatchObject({ status: 200 })
      expect(await again.exchange(authorization)).toMatchObject({ status: 200 })
    })
  })
}
