/** Several upstreams on two nodes of one Redis, with documents of the previous release. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { createCredentialStore } from '../../src/session/credentials.ts'
import { SessionManager } from '../../src/session/manager.ts'
import { createFreshToken } from '../../src/session/refresh.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { createRedisStore } from '../../src/store/redis.ts'
import { startTestServer } from '../../src/testing/index.ts'
import { recordingLogger } from '../logger/lines.ts'
import { errorCode, structured } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import type { RedisServer } from '../support/redis.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { call, GOOD_KEY, loginAt, startSeveral } from '../support/several-upstreams.ts'
import { createBrowser, signInAs } from '../support/sign-in.ts'
import { credentialsFor, KEY } from './parts.ts'

let redis: RedisServer

/** A connection of its own for each node. */
const open = (prefix: string): Store =>
  createRedisStore({ url: redis.url, prefix, log: recordingLogger().log })

async function twoNodes(prefix: string) {
  const several = await startSeveral({}, open(prefix))
  const port = String(await freePort())
  await several.node(open(prefix), { MASK_MCP_PORT: port })
  const other = `http://localhost:${port}`
  const elsewhere = (address: string | URL) => {
    const { pathname, search } = new URL(address)
    return new URL(pathname + search, other)
  }
  return { ...several, other, elsewhere }
}

describeRedis('plain', 'two nodes', () => {
  beforeAll(async () => {
    redis = await startSuiteRedis('plain')
  })
  afterAll(() => redis.stop())

  test('share sign-ins at each upstream', async () => {
    const { url, other, elsewhere } = await twoNodes('sign-in:')
    const link = await loginAt(url, { upstream: 'staff' })
    const { session } = link
    // The page on the second node, the callback on the first.
    const browser = createBrowser()
    const choice = await browser.open(elsewhere(link.url), { code: link.code })
    expect((await browser.open(choice.url, { person: 'grace' })).text).toContain('Login successful')
    for (const at of [url, other]) {
      expect(structured(await call(at, 'staff_account', { session }))).toEqual({
        owner: 'Grace Hopper',
      })
      expect(errorCode(await call(at, 'both', { session }))).toBe('login_required')
    }
    await signInAs(createBrowser(), await loginAt(other, { session }), 'ada')
    expect(structured(await call(url, 'both', { session }))).toEqual({
      first: 'Ada Lovelace',
      second: 'Grace Hopper',
    })
    expect(structured(await call(other, 'logout', { session }))).toEqual({ ended: true })
    expect(errorCode(await call(url, 'both', { session }))).toBe('session_not_found')
  })

  test('share pasted keys', async () => {
    const { url, other, elsewhere, ticketsApi } = await twoNodes('key:')
    const link = await loginAt(other, { upstream: 'tickets' })
    const { session } = link
    const browser = createBrowser()
    const page = await browser.open(link.url, { code: link.code })
    const end = await browser.open(elsewhere(page.url), { key: GOOD_KEY })
    expect(end.text).toContain('Key accepted')
    expect((await browser.open(page.url, { key: GOOD_KEY })).status).toBe(410)
    expect((await call(url, 'tickets', { session })).isError).not.toBe(true)
    ticketsApi.keys.delete(GOOD_KEY)
    expect(errorCode(await call(url, 'tickets', { session }))).toBe('login_required')
    const asked = ticketsApi.seen.length
    expect(errorCode(await call(other, 'tickets', { session }))).toBe('login_required')
    expect(ticketsApi.seen).toHaveLength(asked)
  })

  test('continue with sessions, links and sign-ins of the previous release', async () => {
    const several = await startSeveral({}, open('before:'))
    const { url } = several
    const port = String(await freePort())
    const before = await startTestServer({
      server: { name: 'before' },
      env: { PUBLIC_URL: url, MASK_MCP_PORT: port, RATE_LIMIT: 'off' },
      store: open('before:'),
    })
    onTestFinished(() => before.stop())
    const old = `http://localhost:${port}`
    const first = await loginAt(old)
    const { session } = first
    const browser = createBrowser()
    const { pathname } = new URL(first.url)
    const choice = await browser.open(new URL(pathname, old), { code: first.code })
    // Started by one, finished by the other.
    expect((await browser.open(choice.url, { person: 'ada' })).text).toContain('Login successful')
    expect(structured(await call(old, 'session', { session }))).toMatchObject({
      name: 'Ada Lovelace',
    })
    expect(structured(await call(url, 'session', { session }))).toMatchObject({
      name: 'Ada Lovelace',
      upstreams: [{ upstream: 'demo', signedIn: true }, { signedIn: false }, { signedIn: false }],
    })
    await signInAs(createBrowser(), await loginAt(url, { upstream: 'staff', session }), 'grace')
    // A node that knows only the first upstream neither sees nor loses the others.
    expect(structured(await call(old, 'session', { session }))).toMatchObject({
      name: 'Ada Lovelace',
    })
    expect(structured(await call(url, 'both', { session }))).toEqual({
      first: 'Ada Lovelace',
      second: 'Grace Hopper',
    })
  })
})

describe('locks', () => {
  test('tokens of two upstreams of a session are refreshed concurrently', async () => {
    const store = createMemoryStore()
    const keyRing = createKeyRing([KEY])
    const { log } = recordingLogger()
    const sessions = new SessionManager({ store, now: Date.now }, { ttlSeconds: 3600 })
    const waiting: (() => void)[] = []
    const refresh = () =>
      new Promise<never>((resolve) => {
        waiting.push(() => resolve(credentialsFor(600_000, { accessToken: 'fresh' }) as never))
      })
    const provider = { refresh, revoke: async () => undefined } as never
    const make = (name: string, upstream?: string) => {
      const credentials = createCredentialStore({ store, keyRing }, name)
      const deps = { store, sessions, credentials, provider, now: Date.now, log, upstream }
      return { credentials, freshToken: createFreshToken(deps) }
    }
    const first = make('upstream')
    const second = make('staff', 'staff')
    const { id } = await sessions.create('handle')
    await first.credentials.write(id, credentialsFor(-1), 1)
    await second.credentials.write(id, credentialsFor(-1), 1)
    const tokens = Promise.all([first.freshToken(id), second.freshToken(id)])
    await expect.poll(() => waiting.length).toBe(2)
    for (const answer of waiting) answer()
    expect(await tokens).toEqual(['fresh', 'fresh'])
    await store.close()
  })
})
