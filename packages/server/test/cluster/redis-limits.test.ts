/** A slow or full Redis under three nodes: slower, or 503 within the deadline, and recovery. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { headingOf } from '../../src/testing/form-browser.ts'
import { CALLERS } from '../support/callers.ts'
import { structured } from '../support/clients.ts'
import { listen, listenTo } from '../support/event-reader.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { openRedisAdmin, type RedisAdmin } from '../support/redis-admin.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { login, newBrowser, type SignInLink, signInAs, submitCode } from '../support/sign-in.ts'
import { openSlowLinks } from '../support/slow-link.ts'
import {
  expectDelivery,
  expectUnavailable,
  startSurvivors,
  untilRecovered,
} from '../support/survivors.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import {
  type Answer,
  connect,
  INITIALIZE,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

/** Much longer than the latency that requests have to bear. */
const TIMEOUT_MS = 2500

type Headers = Readonly<Record<string, string>>
type Send = (url: string) => Promise<Answer>

const tool = (name: string, input: object = {}) =>
  request('tools/call', { name, arguments: input }, 'call')
const toolModern = (url: string, name: string, input: object = {}) =>
  read(postModern(url, 'tools/call', { name, arguments: input }))

describeRedis('plain', 'three nodes on a Redis', () => {
  let cluster: ThreeNodes
  let link: Awaited<ReturnType<typeof openSlowLinks>>
  const closeLater = useThreeNodes(
    (started) => {
      cluster = started
    },
    {
      env: () => ({ STORE_TIMEOUT_MS: String(TIMEOUT_MS) }),
      async redisUrl(redis) {
        link = await openSlowLinks(redis)
        return link.url
      },
    },
  )
  afterEach(() => link.setLatency(0))
  afterAll(() => link.close())

  /** Polls, since the result of a probe of the store counts for up to three seconds. */
  async function untilReadyz(status: number, urls: readonly string[] = cluster.urls) {
    for (const url of urls) {
      await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(status)
    }
  }

  /** Requests that need the store, with and without an MCP session. */
  const needingStore = (headers: Headers, session: string): Record<string, Send> => ({
    initialize: (url) => read(post(url, INITIALIZE)),
    'a call': (url) => read(post(url, tool('remember', { text: 'new' }), headers)),
    'a log level': (url) =>
      read(post(url, request('logging/setLevel', { level: 'info' }), headers)),
    'a subscription': (url) =>
      read(post(url, request('resources/subscribe', { uri: 'test://note/1' }), headers)),
    'a stream': (url) =>
      read(fetch(`${url}/mcp`, { headers: { ...headers, accept: 'text/event-stream' } })),
    'a cancellation': (url) => {
      const params = { requestId: 'nothing' }
      return read(post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, headers))
    },
    'the older transport': (url) => read(fetch(`${url}/sse`)),
    login: (url) => toolModern(url, 'login'),
    'a call with a handle': (url) => toolModern(url, 'remember', { session, text: 'new' }),
  })

  describe('that is slow', () => {
    test('everything is served, but slower', async () => {
      link.setLatency(100)
      const { headers, streams, slowText } = await startSurvivors(cluster, closeLater)
      await expectDelivery(cluster, streams)
      expect(await slowText()).toBe('slow')
      await untilRecovered(cluster, headers)
      await untilReadyz(200)
    })

    test.each(Object.entries(FULL_CLIENTS))(
      '%s: receives requests, progress and results',
      async (_name, open) => {
        link.setLatency(100)
        const client = await open(cluster.url, 'canary-of-mine')
        onTestFinished(() => client.close())
        const received: number[] = []
        const onprogress = ({ progress }: { progress: number }) => void received.push(progress)
        await client.call('steps', { steps: 4, everyMs: 20 }, { onprogress })
        expect(received).toEqual([1, 2, 3, 4])
        const result = await client.call('ask', { kinds: ['form', 'sample'] })
        const { answers } = structured<{ answers: string[] }>(result)
        expect(answers.map((answer) => answer.includes('canary-of-mine'))).toEqual([true, true])
      },
    )

    test.each(Object.entries(CALLERS))('%s: signed in', async (_name, open) => {
      link.setLatency(100)
      const caller = await open(cluster.url)
      onTestFinished(() => caller.close())
      const signIn = structured<SignInLink>(await caller.call('login'))
      expect(headingOf(await signInAs(newBrowser(), signIn))).toBe('Login successful')
      expect((await caller.call('service')).structuredContent).toMatchObject({
        owner: 'Ada Lovelace',
      })
    })
  })

  describe('that takes longer for a reply than the deadline', () => {
    test('requests that need it are refused earlier, others are served', async () => {
      const { headers, streams, slowText } = await startSurvivors(cluster, closeLater)
      const { session } = await login(cluster.url)
      const ended = await connect(cluster.urls[0])
      await fetch(`${cluster.urls[1]}/mcp`, { method: 'DELETE', headers: ended })
      link.setLatency(2 * TIMEOUT_MS)
      for (const url of cluster.urls) {
        // Redis would have replied: the server's own deadline refuses.
        const refusals = Object.values(needingStore(headers, session)).map(async (send) =>
          expectUnavailable(await send(url)),
        )
        await Promise.all(refusals)
        await untilReadyz(503, [url])
        const free = await toolModern(url, 'where', { text: 'free' })
        expect(free.message.result).toMatchObject({ structuredContent: { text: 'free' } })
        // Ended MCP sessions are not accepted because of that.
        expect((await read(post(url, tool('where'), ended))).status).toBe(503)
      }
      expect(await slowText()).toBe('slow')
      link.setLatency(0)
      expect(await untilRecovered(cluster, headers)).toBeLessThan(15_000)
      await expectDelivery(cluster, streams)
      for (const url of cluster.urls) {
        expect((await read(post(url, tool('where'), ended))).status).toBe(404)
      }
      await untilReadyz(200)
    })
  })

  describe('that is full', () => {
    let admin: RedisAdmin
    beforeAll(async () => {
      admin = await openRedisAdmin(cluster.redis)
    })
    afterAll(() => admin?.destroy())
    const setMemory = (bytes: number) =>
      admin.atAll((one) => one.configSet('maxmemory', String(bytes)))
    const sessionCount = async () => (await admin.keys('*:session')).length
    afterEach(() => setMemory(0))

    test('writes are refused, reads are served, and nothing is lost', async () => {
      const { headers, streams, slowText } = await startSurvivors(cluster, closeLater)
      const { session, url: page, code } = await login(cluster.url)
      await setMemory(1)
      for (const url of cluster.urls) {
        for (const [what, send] of Object.entries(needingStore(headers, session))) {
          const answer = await send(url)
          expect([what, answer.message.error?.code]).toEqual([what, -32000])
          expectUnavailable(answer)
        }
        const { message } = await read(post(url, tool('where', { text: 'read' }), headers))
        expect(message.result).toMatchObject({ structuredContent: { text: 'read' } })
      }
      const refused = await submitCode(page, code)
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await slowText()).toBe('slow')
      await setMemory(0)
      await untilRecovered(cluster, headers)
      await expectDelivery(cluster, streams)
      expect(headingOf(await signInAs(newBrowser(), { url: page, code }))).toBe('Login successful')
    })

    test('a DELETE ends the MCP session and its session, and all nodes are notified later', async () => {
      const [a, b, c] = cluster.urls
      const headers = await connect(a)
      await read(post(b, tool('remember', { text: 'private' }), headers))
      const stream = closeLater(await listen(`${c}/mcp`, headers))
      const sessions = await sessionCount()
      await setMemory(1)
      expect((await fetch(`${b}/mcp`, { method: 'DELETE', headers })).status).toBe(204)
      expect(await sessionCount()).toBe(sessions - 1)
      for (const url of cluster.urls) {
        expect((await read(post(url, tool('where'), headers))).status).toBe(404)
      }
      await setMemory(0)
      expect(await stream.ended).toBe(true)
    })

    test('a call is not declared lost while nodes cannot write heartbeats', async () => {
      const [a, , c] = cluster.urls
      const headers = await connect(a)
      const slow = tool('where', { text: 'survivor', delayMs: 10_000 })
      const first = await listenTo((signal) => post(c, slow, headers, signal))
      await first.until(({ id }) => id !== undefined)
      first.close()
      await setMemory(1)
      // Heartbeats expire after five seconds.
      await delay(6000)
      await setMemory(0)
      const from = { ...headers, 'last-event-id': first.lastId ?? '' }
      const second = closeLater(await listen(`${a}/mcp`, from))
      const { message } = await second.until(({ message }) => message?.id === 'call')
      expect(message?.result).toMatchObject({ structuredContent: { text: 'survivor' } })
    })
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
  })
})
