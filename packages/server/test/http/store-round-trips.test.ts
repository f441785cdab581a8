/** The store commands of calls with a token, and their failures. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import { startApp } from '../support/app.ts'
import { failingStore } from '../support/failing-store.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { withToken } from '../support/token-app.ts'
import { connect, INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

/** A store with latency, which counts round trips. */
function slowStore() {
  const memory = createMemoryStore()
  const roundTrips: string[][] = []
  let current: string[] | undefined
  async function roundTrip(keys: readonly string[]): Promise<void> {
    if (current === undefined) {
      current = []
      roundTrips.push(current)
      setImmediate(() => {
        current = undefined
      })
    }
    current.push(...keys)
    await nextTurn()
    await nextTurn()
  }
  const get: Store['get'] = async (key) => {
    await roundTrip([key])
    return memory.get(key)
  }
  const getAll: Store['getAll'] = async (keys) => {
    await roundTrip(keys)
    return memory.getAll(keys)
  }
  return { store: { ...memory, get, getAll }, roundTrips }
}

async function started(store: Store, env: Readonly<Record<string, string>> = {}) {
  const app = await startApp({ store, env })
  onTestFinished(() => app.stop())
  const client = await createOAuthClient(app.url)
  const { access_token: token } = await client.connect()
  const bearer = withToken(token)
  const { headers } = await read(post(app.url, INITIALIZE, bearer))
  const connection = { ...bearer, 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
  return { app, client, token, bearer, connection }
}

const ofRequests = (keys: readonly string[]) => keys.filter((key) => !key.startsWith('{nodes}'))

test('a call of the 2025 era reads its token, session and MCP session in one round trip', async () => {
  const { store, roundTrips } = slowStore()
  const { app, connection } = await started(store)
  roundTrips.length = 0
  expect((await read(post(app.url, request('ping'), connection))).status).toBe(200)
  const trips = roundTrips.map(ofRequests).filter((keys) => keys.length > 0)
  expect(trips).toEqual([expect.arrayContaining([expect.stringMatching(/:conn$/)])])
  // Session, token, grant and MCP session; and the entry that nodes of the previous release read.
  expect(trips[0]).toHaveLength(5)
})

test('on a Redis Cluster, a call with a token needs only the hash slot of its session', async () => {
  const { store, roundTrips } = slowStore()
  const cluster = { REDIS_URL: 'redis+cluster://127.0.0.1:7000' }
  const { app, client, token, bearer } = await started(store, cluster)
  const call = async () =>
    (await read(postModern(app.url, 'tools/list', {}, { headers: bearer }))).status
  roundTrips.length = 0
  expect(await call()).toBe(200)
  const slots = roundTrips.flatMap(ofRequests).map((key) => slotOf(key))
  expect(slots).toHaveLength(3)
  expect(new Set(slots).size).toBe(1)
  await client.revoke(token)
  expect(await call()).toBe(401)
})

test('a revoked token is 401 while its MCP session cannot be read', async () => {
  const store = failingStore()
  const { app, client, token, connection } = await started(store)
  await client.revoke(token)
  store.disconnect(':conn')
  expect((await read(post(app.url, request('ping'), connection))).status).toBe(401)
  expect(app.lines.filter((line) => line.includes('unhandled'))).toEqual([])
  store.reconnect()
})

test('while the store refuses writes, calls are refused', async () => {
  const store = createMemoryStore()
  const { app, bearer, connection } = await started(store)
  const anonymous = await connect(app.url)
  const touch = vi.spyOn(store, 'touch')
  const statuses = async () => [
    (await read(postModern(app.url, 'tools/list', {}, { headers: bearer }))).status,
    (await read(post(app.url, request('ping'), connection))).status,
    (await read(post(app.url, request('ping'), anonymous))).status,
  ]
  expect(await statuses()).toEqual([200, 200, 200])
  touch.mockRejectedValue(storeUnavailable())
  // The first refusal is detected in the background, within a second.
  await expect.poll(statuses).toEqual([503, 503, 503])
  touch.mockRestore()
  expect(await statuses()).toEqual([200, 200, 200])
  expect(app.lines.filter((line) => line.includes('unhandled'))).toEqual([])
})
