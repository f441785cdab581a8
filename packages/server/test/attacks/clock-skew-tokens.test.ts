/**
 * Clock skew of two minutes: revoked and used tokens are refused, and lifetimes follow the store's
 * clock.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { createOAuthClient, type OAuthClient } from '../support/oauth-client.ts'
import { startServerProcess } from '../support/process.ts'
import { openRedisAdmin, type RedisAdmin } from '../support/redis-admin.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { skewedClock } from '../support/skewed-clock.ts'
import { faultsIn } from '../support/three-nodes.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

const SKEW_MS = 120_000
/** Less than the clocks are apart. */
const TOKEN_SECONDS = 60
const GRACE_SECONDS = 20
/** More than a test takes between two measurements, and less than the clock skew. */
const SLACK_MS = 30_000

const REFUSED = { status: 400, body: { error: 'invalid_grant' } }

/** Two nodes, the second with a skewed clock; both have the URL of the first. */
async function startTwoClocks(skewMs: number) {
  const redis = await startSuiteRedis('plain')
  const ports = [await freePort(), await freePort()]
  const urls = ports.map((port) => `http://localhost:${port}`)
  const [right = '', skewed = ''] = urls
  const env = {
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'debug',
    STOP_DELAY: '0',
    REDIS_URL: redis.url,
    PUBLIC_URL: right,
    ACCESS_TOKEN_TTL: String(TOKEN_SECONDS),
    REFRESH_GRACE: String(GRACE_SECONDS),
  }
  const start = (port: number | undefined, more: Readonly<Record<string, string>> = {}) =>
    startServerProcess({ env: { ...env, MASK_MCP_PORT: String(port), ...more } })
  const nodes = [await start(ports[0]), await start(ports[1], skewedClock(skewMs))]
  return {
    redis,
    right,
    skewed,
    logs: () => nodes.map(({ output }) => output.stdout + output.stderr).join(''),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      await redis.stop()
    },
  }
}

type Clocks = Awaited<ReturnType<typeof startTwoClocks>>

describe.each([
  ['ahead', SKEW_MS],
  ['behind', -SKEW_MS],
])('a clock that is two minutes %s', (_how, skewMs) => {
  describeRedis('plain', 'at one of two nodes', () => {
    let clocks: Clocks
    let known: OAuthClient
    let admin: RedisAdmin
    beforeAll(async () => {
      clocks = await startTwoClocks(skewMs)
      known = await createOAuthClient(clocks.right)
      admin = await openRedisAdmin(clocks.redis)
    })
    afterAll(async () => {
      admin?.destroy()
      await clocks?.stop()
    })

    /** The same client, posting to one node. */
    const at = (url: string) =>
      createOAuthClient(clocks.right, { known: { client_id: known.id }, nodes: [url] })
    /** Both directions: the node that issues, and the node that receives. */
    const ways = () =>
      [
        [clocks.right, clocks.skewed],
        [clocks.skewed, clocks.right],
        [clocks.skewed, clocks.skewed],
      ] as const
    const status = async (url: string, token: unknown) => {
      const headers = withToken(String(token))
      return (await read(postModern(url, 'tools/list', {}, { headers }))).status
    }

    test('a code and a token of one node are valid at the other', async () => {
      for (const [gives, receives] of ways()) {
        const authorization = await known.authorize()
        const { status: exchanged, body } = await (await at(gives)).exchange(authorization)
        expect(exchanged).toBe(200)
        expect(body.expires_in).toBe(TOKEN_SECONDS)
        expect(await status(receives, body.access_token)).toBe(200)
        const refreshed = await (await at(receives)).refresh(String(body.refresh_token))
        expect(refreshed).toMatchObject({ status: 200 })
        expect(await status(gives, refreshed.body.access_token)).toBe(200)
      }
    })

    test('what was revoked at one node is refused by the other', async () => {
      for (const [ends, asked] of ways()) {
        const { body } = await (await at(asked)).exchange(await known.authorize())
        const { body: other } = await (await at(asked)).exchange(await known.authorize())
        const ending = await at(ends)
        await ending.revoke(String(body.access_token))
        await ending.revoke(String(other.refresh_token))
        expect(await status(asked, body.access_token)).toBe(401)
        expect(await status(asked, other.access_token)).toBe(401)
        expect(await (await at(asked)).refresh(String(other.refresh_token))).toMatchObject(REFUSED)
        expect(await status(asked, other.access_token)).toBe(401)
      }
    })

    test('a session stays ended after logout, for its tokens and their successors', async () => {
      for (const [ends, asked] of ways()) {
        const { body } = await (await at(asked)).exchange(await known.authorize())
        const headers = withToken(String(body.access_token))
        await read(postModern(ends, 'tools/call', { name: 'logout' }, { headers }))
        expect(await status(asked, body.access_token)).toBe(401)
        expect(await (await at(asked)).refresh(String(body.refresh_token))).toMatchObject(REFUSED)
      }
    })

    test('a code is used once, and a replay at the other node revokes', async () => {
      for (const [receives, replays] of ways()) {
        const authorization = await known.authorize()
        const { body } = await (await at(receives)).exchange(authorization)
        await delay(2500)
        expect(await (await at(replays)).exchange(authorization)).toMatchObject(REFUSED)
        expect(await status(receives, body.access_token)).toBe(401)
      }
    })

    test('the grace period of a refresh token follows the clock of the store', async () => {
      const given = await Promise.all(
        ways().map(async ([one, other]) => {
          const { body } = await (await at(one)).exchange(await known.authorize())
          const token = String(body.refresh_token)
          const { body: next } = await (await at(one)).refresh(token)
          const again = await (await at(other)).refresh(token)
          expect(again.body.refresh_token).toBe(next.refresh_token)
          return { token, next, other }
        }),
      )
      await delay((GRACE_SECONDS + 1) * 1000)
      for (const { token, next, other } of given) {
        expect(await (await at(other)).refresh(token)).toMatchObject(REFUSED)
        expect(await status(other, next.access_token)).toBe(401)
      }
    })

    test('keys have the same TTL on whichever node they were written', async () => {
      for (const url of [clocks.right, clocks.skewed]) {
        const before = new Set(await admin.keys('*AccessToken:*'))
        await (await at(url)).exchange(await known.authorize())
        const written = (await admin.keys('*AccessToken:*')).filter((key) => !before.has(key))
        expect(written).toHaveLength(1)
        const [key = ''] = written
        const leftMs = await admin.at(key, (one) => one.pTTL(key))
        expect(leftMs).toBeLessThanOrEqual(TOKEN_SECONDS * 1000)
        expect(leftMs).toBeGreaterThan(TOKEN_SECONDS * 1000 - SLACK_MS)
      }
    })

    test('a token that expired in the store is refused by both, whatever its own expiry', async () => {
      for (const [gives, asked] of ways()) {
        const { body } = await (await at(gives)).exchange(await known.authorize())
        const keys = await admin.keys('*AccessToken:*')
        await Promise.all(keys.map((key) => admin.at(key, (one) => one.pExpire(key, 1))))
        await expect.poll(async () => (await admin.keys('*AccessToken:*')).length).toBe(0)
        expect(await status(asked, body.access_token)).toBe(401)
        expect(await status(gives, body.access_token)).toBe(401)
      }
    })

    test('no fault was logged', () => {
      expect(faultsIn(clocks.logs())).toEqual([])
    })
  })
})
