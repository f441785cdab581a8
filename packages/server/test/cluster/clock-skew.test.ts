/** Clock skew of two minutes: no lifetime changes. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { headingOf } from '../../src/testing/form-browser.ts'
import { errorCode, structured } from '../support/clients.ts'
import { listen } from '../support/event-reader.ts'
import { openRedisAdmin, type RedisAdmin } from '../support/redis-admin.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { callWith, login, newBrowser, signInAs } from '../support/sign-in.ts'
import { skewedClock } from '../support/skewed-clock.ts'
import { expectDelivery } from '../support/survivors.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { connect, type Message, post, postModern, read, request } from '../support/wire.ts'

const MINUTE_MS = 60_000
const SESSION_TTL_MS = 60 * MINUTE_MS
/** Less than the clock skew. */
const SIGN_IN_TTL_MS = MINUTE_MS
/** More than a test takes between two measurements, and less than the clock skew. */
const SLACK_MS = 30_000
const SKEWED = 2

const tool = (name: string, input: object = {}) =>
  request('tools/call', { name, arguments: input }, 'call')

describe.each([
  ['ahead', 2 * MINUTE_MS],
  ['behind', -2 * MINUTE_MS],
])('a clock that is two minutes %s', (_how, skewMs) => {
  describeRedis('plain', 'at one of three nodes', () => {
    let cluster: ThreeNodes
    let [right, skewed] = ['', '']
    let pagesAt = 0
    const closeLater = useThreeNodes(
      (started) => {
        cluster = started
        ;[right, , skewed] = started.urls
      },
      {
        env: (index) => ({
          SIGN_IN_TTL: String(SIGN_IN_TTL_MS / 1000),
          ...(index === SKEWED && skewedClock(skewMs)),
        }),
        // All pages of the identity provider are on one node: it is a separate system with one clock.
        balancing: { firstNode: (path) => (path.startsWith('/demo/') ? 0 : pagesAt) },
      },
    )
    let admin: RedisAdmin
    beforeAll(async () => {
      admin = await openRedisAdmin(cluster.redis)
    })
    afterAll(() => admin?.destroy())

    const keysOf = (pattern: string) => admin.keys(`mcp:${pattern}`)

    /** Expects that new keys expire after this time, and not much sooner. */
    async function expectLifetime(
      pattern: string,
      ms: number,
      before: readonly string[] = [],
    ): Promise<void> {
      for (const key of await keysOf(pattern)) {
        if (before.includes(key)) continue
        const leftMs = await admin.at(key, (one) => one.pTTL(key))
        expect(leftMs).toBeLessThanOrEqual(ms)
        expect(leftMs).toBeGreaterThan(ms - SLACK_MS)
      }
    }

    async function expectInRedisTime(announced: string, inMs: number): Promise<void> {
      const [time] = await admin.atAll((one) => one.sendCommand(['TIME']))
      const [seconds] = time as unknown as string[]
      const difference = Date.parse(announced) - Number(seconds) * 1000 - inMs
      expect(Math.abs(difference)).toBeLessThan(SLACK_MS)
    }

    test('one node has it, and the others do not', () => {
      const offset = (index: number) => {
        const [line = '{}'] = cluster.node(index).output.stdout.split('\n')
        return Date.parse(JSON.parse(line).time) - Date.now()
      }
      expect(Math.abs(offset(SKEWED) - skewMs)).toBeLessThan(MINUTE_MS)
      expect(Math.abs(offset(0))).toBeLessThan(MINUTE_MS)
    })

    test('a session is used on all nodes in turn, and each use renews its TTL', async () => {
      const headers = await connect(skewed)
      for (const [before, text, url] of [
        ['', 'one', right],
        ['one', 'two', skewed],
        ['two', 'three', right],
      ] as const) {
        const { message } = await read(post(url, tool('remember', { text }), headers))
        expect(structured<{ before: string }>(message.result ?? {}).before).toBe(before)
        await expectLifetime('*:session', SESSION_TTL_MS)
        await expectLifetime('*:conn', SESSION_TTL_MS)
      }
    })

    test('an MCP session that has ended is unknown everywhere', async () => {
      for (const [opened, ended, asked] of [
        [skewed, right, skewed],
        [right, skewed, right],
      ] as const) {
        const headers = await connect(opened)
        expect((await fetch(`${ended}/mcp`, { method: 'DELETE', headers })).status).toBe(204)
        expect((await read(post(asked, tool('where'), headers))).status).toBe(404)
      }
    })

    test('a session that has expired in Redis is unknown there, too', async () => {
      const headers = await connect(skewed)
      const { session } = await login(skewed)
      const keys = [...(await keysOf('*:conn')), ...(await keysOf('*:session'))]
      await Promise.all(keys.map((key) => admin.at(key, (one) => one.pExpire(key, 1))))
      await expect.poll(async () => (await keysOf('{*}:session')).length).toBe(0)
      expect((await read(post(skewed, tool('where'), headers))).status).toBe(404)
      expect(errorCode(await callWith(skewed, session, 'service'))).toBe('session_not_found')
    })

    test('a session stays ended after logout', async () => {
      for (const [used, ended] of [
        [skewed, right],
        [right, skewed],
      ] as const) {
        const { session } = await login(used)
        expect(structured(await callWith(ended, session, 'logout'))).toEqual({ ended: true })
        expect(errorCode(await callWith(used, session, 'service'))).toBe('session_not_found')
      }
    })

    test('a sign-in link is valid for its whole lifetime, at every node', async () => {
      for (const [made, pages] of [
        [skewed, 0],
        [right, SKEWED],
      ] as const) {
        const before = await keysOf('sign-in-link:*')
        const link = await login(made)
        await expectLifetime('sign-in-link:*', SIGN_IN_TTL_MS, before)
        await expectInRedisTime(link.expiresAt, SIGN_IN_TTL_MS)
        pagesAt = pages
        expect(headingOf(await signInAs(newBrowser(), link))).toBe('Login successful')
        for (const url of cluster.urls) {
          const result = await callWith(url, link.session, 'service')
          expect(structured<{ owner: string }>(result).owner).toBe('Ada Lovelace')
        }
      }
    })

    test('a sign-in link that has expired in Redis is invalid there, too', async () => {
      const { url } = await login(skewed)
      const page = new URL(url).pathname
      expect((await fetch(skewed + page)).status).toBe(200)
      for (const key of await keysOf('sign-in-link:*')) await admin.at(key, (one) => one.del(key))
      expect((await fetch(skewed + page)).status).toBe(410)
    })

    test('a round is continued at another node, once', async () => {
      const options = { capabilities: { elicitation: { form: {} } } }
      const params = { name: 'ask', arguments: { kinds: ['form'] } }
      const answer = async (url: string, { result }: Message) => {
        const [question = ''] = Object.keys((result?.inputRequests ?? {}) as object)
        const inputResponses = { [question]: { action: 'accept', content: { name: 'x' } } }
        const more = { requestState: result?.requestState, inputResponses }
        return (await read(postModern(url, 'tools/call', { ...params, ...more }, options))).message
      }
      for (const [asked, answered] of [
        [skewed, right],
        [right, skewed],
      ] as const) {
        const { message } = await read(postModern(asked, 'tools/call', params, options))
        expect((await answer(answered, message)).result).toMatchObject({ resultType: 'complete' })
        for (const url of cluster.urls) {
          expect((await answer(url, message)).error?.code).toBe(-32602)
        }
      }
    })

    test('changes are received there, and from there', async () => {
      const streams = [right, skewed].map(async (url) =>
        closeLater(await listen(`${url}/mcp`, await connect(right))),
      )
      // The change is made at the node with clock skew.
      await expectDelivery(cluster, await Promise.all(streams))
    })

    test('no fault was logged', () => {
      expect(faultsIn(cluster.logs())).toEqual([])
    })
  })
})
