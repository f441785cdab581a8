/**
 * Redis servers that answer with errors, on every topology: what callers, readiness and the log say,
 * and that all recovers without a restart.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { createOAuthClient, register } from '../support/oauth-client.ts'
import { startRedis } from '../support/redis.ts'
import { type RedisTopologyServers, startRedisCluster } from '../support/redis-cluster.ts'
import { until } from '../support/redis-commands.ts'
import { startRedisSentinels } from '../support/redis-sentinels.ts'
import { describeOwnRedis } from '../support/redis-suite.ts'
import { login } from '../support/sign-in.ts'
import { CLUSTER_CATALOG, faultsIn } from '../support/three-nodes.ts'
import { connect, INITIALIZE, post, postModern, read, request } from '../support/wire.ts'
import { type Admin, CONDITIONS, DEBUG, openAdmin, type Topology } from './refusing-servers.ts'

type Servers = Pick<RedisTopologyServers, 'url' | 'servers' | 'stop'>

const TOPOLOGIES: Readonly<Record<Topology, () => Promise<Servers>>> = {
  async single() {
    const server = await startRedis('plain', DEBUG)
    return { url: server.url, servers: [server], stop: server.stop }
  },
  sentinel: () => startRedisSentinels({ args: DEBUG }),
  cluster: () => startRedisCluster({ args: DEBUG }),
}

/** Callers of both eras, OAuth clients and browsers, whose state is in Redis. */
async function openCallers({ url }: TestApp) {
  const headers = await connect(url)
  const { session } = await login(url)
  const oauth = await createOAuthClient(url)
  let tokens = await oauth.connect()
  const remember = (text?: string) =>
    request('tools/call', { name: 'remember', arguments: { text } }, 'remember')
  await read(post(url, remember('kept'), headers))
  const token = () => ({ authorization: `Bearer ${tokens.access_token}` })
  const modern = (name: string, input = {}, more = {}) =>
    read(postModern(url, 'tools/call', { name, arguments: input }, { headers: more }))
  /** The status of each request. */
  const asks: Readonly<Record<string, () => Promise<{ readonly status: number }>>> = {
    initialize: () => read(post(url, INITIALIZE)),
    'a call in an MCP session': () => read(post(url, remember(), headers)),
    'the older transport': () => fetch(`${url}/sse`).then(closed),
    'a call with a handle': () => modern('remember', { session }),
    'a call with a token': () => modern('remember', {}, token()),
    'a call with a token in an MCP session': () => read(post(url, INITIALIZE, token())),
    login: () => modern('login'),
    register: () => register(url),
    authorize: () => fetch(oauth.request().url, { redirect: 'manual' }).then(closed),
    refresh: () => oauth.refresh(tokens.refresh_token),
  }
  return {
    async statuses() {
      const asking = Object.entries(asks).map(async ([what, ask]) => [what, (await ask()).status])
      return Object.fromEntries(await Promise.all(asking)) as Record<string, number>
    },
    async expectServed() {
      const { message } = await read(post(url, remember(), headers))
      expect(structured(message.result ?? {})).toMatchObject({ before: 'kept' })
      const refreshed = await oauth.refresh(tokens.refresh_token)
      expect(refreshed.status).toBe(200)
      tokens = refreshed.body as unknown as typeof tokens
      expect((await modern('remember', {}, token())).status).toBe(200)
    },
  }
}

async function closed(response: Response): Promise<Response> {
  await response.body?.cancel()
  return response
}

for (const topology of ['single', 'sentinel', 'cluster'] as const) {
  describeOwnRedis(`a server whose Redis (${topology}) answers with errors`, () => {
    let redis: Servers
    let app: TestApp
    let masters: readonly Admin[] = []
    let callers: Awaited<ReturnType<typeof openCallers>>
    const readiness = async () => {
      const response = await fetch(`${app.url}/readyz`)
      return `${response.status} ${await response.text()}`
    }
    const untilReady = () => expect.poll(readiness, { interval: 50 }).toBe('200 {"status":"ok"}')

    beforeAll(async () => {
      redis = await TOPOLOGIES[topology]()
      const admins = await Promise.all(redis.servers.map(({ url }) => openAdmin(url)))
      for (const admin of admins)
        await admin.sendCommand(['ACL', 'SETUSER', 'mcp', 'on', '>secret', '~*', '&*', '+@all'])
      const roles = await Promise.all(admins.map((admin) => admin.sendCommand(['ROLE'])))
      masters = admins.filter((_, at) => String(roles[at]).startsWith('master'))
      const env = { REDIS_URL: redis.url.replace('//', '//mcp:secret@') }
      app = await startApp({ env, catalogDirectory: CLUSTER_CATALOG })
      await until(async () => (await readiness()).startsWith('200'))
      callers = await openCallers(app)
    })
    afterAll(async () => {
      await app?.stop()
      for (const master of masters) master.destroy()
      await redis?.stop()
    })

    const conditions = Object.entries(CONDITIONS).filter(([, { on = [topology] }]) =>
      on.includes(topology),
    )
    test.each(conditions)('%s', async (_name, { says, isReadable = false, cause, cure }) => {
      const before = app.lines.length
      await Promise.all(masters.map(cause))
      await expect.poll(readiness, { interval: 50 }).toMatch(/^503/)
      await expect.poll(readiness, { interval: 50 }).toMatch(says)
      const { initialize, refresh, login: begun, ...others } = await callers.statuses()
      expect({ initialize, refresh, begun }).toEqual({ initialize: 503, refresh: 503, begun: 503 })
      const isServed = (status: number) => status === 503 || (isReadable && status < 400)
      expect(Object.entries(others).filter(([, status]) => !isServed(status))).toEqual([])
      expect(await readiness()).toMatch(says)
      await Promise.all(masters.map(cure))
      await untilReady()
      await callers.expectServed()
      const lines = app.lines.slice(before).join('')
      expect(lines).toMatch(/Redis cannot serve requests|Redis unreachable; reconnecting/)
      expect(faultsIn(lines)).toEqual([])
    })

    test('evicted keys: sessions and grants have ended, and new ones are served', async () => {
      await Promise.all(masters.map((admin) => admin.sendCommand(['FLUSHALL'])))
      const statuses = await callers.statuses()
      expect(statuses).toMatchObject({
        ...{ initialize: 200, 'a call in an MCP session': 404, 'a call with a token': 401 },
        ...{ login: 200, register: 201, refresh: 401 },
      })
      expect(Object.values(statuses).filter((status) => status >= 500)).toEqual([])
      callers = await openCallers(app)
      await callers.expectServed()
      await untilReady()
      expect(faultsIn(app.lines.join(''))).toEqual([])
    })
  })
}
