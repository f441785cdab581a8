/**
 * nginx with the configuration of `deploy/`, in front of three real nodes with the variables of
 * compose.yaml.
 */

import { request as send } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALLERS } from '../support/callers.ts'
import { connectClient, ERAS, structured } from '../support/clients.ts'
import {
  type Listening,
  listen,
  listenTo,
  responseTo,
  withMethod,
} from '../support/event-reader.ts'
import { freePort } from '../support/free-port.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { type Nginx, nginxMissing, startNginx } from '../support/nginx.ts'
import { redisMissing } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { openSse } from '../support/sse.ts'
import { startSteadyLoad } from '../support/steady-load.ts'
import { describeUnless } from '../support/suite-that-needs.ts'
import { faultsIn, type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'
import { serverEnvironment } from './compose.ts'

const MISSING = nginxMissing ?? redisMissing('plain')
const port = await freePort()
const url = `http://localhost:${port}`

/** The variables of nodes in containers, except their addresses and that of Redis. */
const { REDIS_URL, MASK_MCP_PORT, METRICS_PORT, ...FROM_COMPOSE } = serverEnvironment([
  'compose.yaml',
])
/** Outside production callers on this machine are not counted, unless so configured. */
const HERE = { PUBLIC_URL: url, ALLOWED_HOSTS: 'mcp.example.com', RATE_LIMIT: 'on' }
const LIST_CHANGED = 'notifications/tools/list_changed'
const MEBIBYTE = 1024 * 1024
describeUnless(MISSING, 'REQUIRE_NGINX', 'nginx in front of three nodes', () => {
  let cluster: ThreeNodes
  let nginx: Nginx
  const closeLater = useThreeNodes(
    (started) => {
      cluster = started
    },
    { env: () => ({ ...FROM_COMPOSE, ...HERE }) },
  )
  beforeAll(async () => {
    nginx = await startNginx(
      port,
      cluster.urls.map((node) => Number(new URL(node).port)),
    )
  })
  afterAll(() => nginx?.stop())

  const where = (text: string, delayMs = 0) =>
    postModern(url, 'tools/call', { name: 'where', arguments: { text, delayMs } })

  /** How many of these calls each node ran. */
  async function turns(calls: number): Promise<number[]> {
    const counts = [0, 0, 0]
    for (let call = 0; call < calls; call += 1) {
      const { message } = await read(where('turn'))
      const node = cluster.indexOf(structured<{ pid: number }>(message.result ?? {}).pid)
      counts[node] = (counts[node] ?? 0) + 1
    }
    return counts
  }

  /** nginx skips a node that refused a connection for a while. */
  const untilAllServe = () => expect.poll(async () => Math.min(...(await turns(6)))).toBe(2)

  const change = () => read(postModern(url, 'tools/call', { name: 'change', arguments: {} }))

  test('distributes requests round-robin', async () => {
    expect(await turns(9)).toEqual([3, 3, 3])
  })

  test.each(Object.entries(CALLERS))('people sign in and read: %s', async (_name, connectTo) => {
    const caller = await connectTo(url)
    const link = structured<SignInLink>(await caller.call('login'))
    expect(link.url.startsWith(`${url}/connect/`)).toBe(true)
    expect((await signInAs(newBrowser(), link, 'ada')).text).toContain('Login successful')
    for (const result of [await caller.call('service'), await caller.call('service')]) {
      expect(result.structuredContent).toMatchObject({ accountNumber: '****5555' })
    }
    await caller.close()
  })

  test.each(ERAS)('clients receive progress while the call runs (%s)', async (era) => {
    const { client } = await connectClient(url, era)
    let isAnswered = false
    const early: boolean[] = []
    const call = { name: 'steps', arguments: { steps: 3, everyMs: 300 } }
    const result = await client.callTool(call, { onprogress: () => void early.push(isAnswered) })
    isAnswered = true
    expect(structured<{ done: number }>(result).done).toBe(3)
    expect(early).toEqual([false, false, false])
    await client.close()
  })

  test('streams deliver each event at once, and stay open', async () => {
    const headers = await connect(url)
    const notifications = { toolsListChanged: true }
    const listening = (signal: AbortSignal) =>
      postModern(url, 'subscriptions/listen', { notifications }, { signal })
    const opened = [
      closeLater(await listen(`${url}/mcp`, headers)),
      closeLater(await openSse(url)),
      closeLater(await listenTo(listening)),
    ] as const satisfies readonly Listening[]
    const [get, sse, modern] = opened
    // Only flushed data can have arrived: no stream has ended.
    for (const stream of opened)
      await stream.until(({ data, id }) => data !== '' || id !== undefined)
    expect(sse.events[0]?.event).toBe('endpoint')
    for (const count of [1, 2]) {
      await change()
      for (const stream of [get, modern]) {
        const received = () =>
          stream.messages.filter(({ method }) => method === LIST_CHANGED).length
        await expect.poll(received).toBe(count)
      }
    }
  })

  test('a streamed response arrives in parts', async () => {
    const headers = await connect(url)
    const params = { name: 'steps', arguments: { steps: 2, everyMs: 1000 }, _meta: PROGRESS }
    const call = request('tools/call', params, 'steps')
    const stream = closeLater(await listenTo((signal) => post(url, call, headers, signal)))
    await stream.until(withMethod('notifications/progress'))
    expect(stream.messages.some(({ id }) => id === 'steps')).toBe(false)
    await stream.until(responseTo('steps'))
  })

  test('a body that is too large is refused by the server, in JSON', async () => {
    const headers = await connect(url)
    const sent = (size: number) =>
      read(post(url, request('tools/call', { name: 'x'.repeat(size * MEBIBYTE) }), headers))
    const large = await sent(1.5)
    expect([large.status, large.headers.get('content-type')]).toEqual([413, 'application/json'])
    expect((await sent(3)).status).toBe(413)
  })

  test('hosts are distinguished behind it, and forwarded hosts are ignored', async () => {
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
    const metadata = '/.well-known/oauth-authorization-server'
    const named = await sendRaw(metadata, { headers: { host: 'mcp.example.com', ...forged } })
    expect(named.status).toBe(200)
    expect(JSON.parse(named.text)).toMatchObject({ issuer: url, token_endpoint: `${url}/token` })
    expect((await sendRaw(metadata, { headers: { host: 'evil.example' } })).status).toBe(421)
  })

  test.each(['/metrics', '/metrics/', '/metrics?a=b', '/%6detrics', '//metrics', '/x/../metrics'])(
    'no node receives a request for metrics: %s',
    async (path) => {
      const { status, headers } = await sendRaw(path)
      expect(status).toBe(404)
      // Every response of a node has one.
      expect(headers['x-request-id']).toBeUndefined()
    },
  )

  test('a node that stops fails only requests that arrive while it closes', async () => {
    const kinds = Object.keys(FULL_CLIENTS).length
    const load = await startSteadyLoad(url, FULL_CLIENTS, { clientsOfEachKind: 2 })
    const running = [1, 2, 3].map((each) => read(where(`runs ${each}`, 4000)))
    await turns(3)
    expect(await cluster.node(0).stop()).toEqual({ code: 0, signal: null })
    const [first, ...others] = await turns(3)
    expect([first, others.reduce((sum, each) => sum + each)]).toEqual([0, 3])
    const { calls, failures } = await load.stop()
    for (const answer of await Promise.all(running)) expect(answer.status).toBe(200)
    // nginx does not probe readiness: at most one call of each client is in flight then.
    expect(failures.filter(({ fault }) => !fault.includes('502'))).toEqual([])
    expect(failures.length).toBeLessThanOrEqual(kinds * 2)
    expect(calls).toBeGreaterThan(failures.length)
    await cluster.revive(0)
    await untilAllServe()
  })

  test('the calls of a killed node are lost, and not retried', async () => {
    await untilAllServe()
    const calls = Array.from({ length: 9 }, (_, call) => read(where(`runs ${call}`, 6000)))
    const answers = Promise.all(calls)
    // Each node has answered a later call: the earlier ones have arrived.
    await turns(3)
    cluster.node(1).child.kill('SIGKILL')
    const statuses = new Set((await answers).map(({ status }) => status))
    // Without any 502, another node would have repeated calls of the killed one.
    expect([...statuses].sort()).toEqual([200, 502])
    const [a, b, c] = await turns(10)
    expect([(a ?? 0) + (c ?? 0), b]).toEqual([10, 0])
    await cluster.revive(1)
    await untilAllServe()
  })

  test('callers are distinguished by their addresses, whatever they claim', async () => {
    const register = (localAddress: string, forwarded: string) => {
      const body = JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'] })
      const headers = { 'content-type': 'application/json', 'x-forwarded-for': forwarded }
      return sendRaw('/register', { method: 'POST', body, headers, localAddress })
    }
    let refused = false
    for (let count = 0; count < 100 && !refused; count += 1) {
      const { status } = await register('127.0.0.1', `192.0.2.${count}`)
      refused = status === 429
    }
    expect(refused).toBe(true)
    expect((await register('127.0.0.2', '192.0.2.1')).status).toBe(201)
  })

  test('no fault was logged', () => {
    expect(faultsIn(cluster.logs())).toEqual([])
    expect(nginx.errors()).not.toMatch(/\[(?:emerg|alert|crit)\]/)
  })
})

const PROGRESS = { progressToken: 'p' }

interface RawParts {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly localAddress?: string
}

/** Sends a path and a host as they are, from an address of this machine. */
function sendRaw(path: string, parts: RawParts = {}) {
  const { method = 'GET', headers = {}, body, localAddress } = parts
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>(
    (resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, headers, localAddress }
      const sending = send(options, async (response) => {
        const chunks = await response.toArray()
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
      sending.on('error', reject).end(body)
    },
  )
}
