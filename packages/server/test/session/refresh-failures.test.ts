/** Failed refreshes at a provider over HTTP, on two nodes: requests, back-off, and sign-out. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { connectedStore } from '../store/redis-stores.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { byEndpoints, startProvider } from '../upstream/fake-provider.ts'
import { type Answer, inTurn, json } from '../upstream/misbehaving-server.ts'
import { createNode, credentialsFor, MINUTE_MS, signedIn } from './parts.ts'

const REFUSED = json({ error: 'bad_refresh_token' })
const UNAVAILABLE = json({}, 503)
const MISCONFIGURED = json({ error: 'invalid_client' }, 401)
const GOOD = json({ access_token: 'access-2', token_type: 'bearer' })
const NOTHING = json({ canary: 1 })

interface Stores {
  readonly stores: readonly [Store, Store]
  close(): Promise<void>
}

function suite(open: () => Promise<Stores>): void {
  let opened: Stores
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened.close())

  /** Two nodes with one session, whose token has expired, and a clock that the test advances. */
  async function given(answer: Answer) {
    const fake = await startProvider()
    fake.paths['/token'] = answer
    let time = Date.now()
    const now = () => time
    const nodes = opened.stores.map((store) =>
      createNode(store, { now, provider: byEndpoints(fake) }),
    ) as [ReturnType<typeof createNode>, ReturnType<typeof createNode>]
    const id = await signedIn(nodes[0], credentialsFor(-1000))
    const call = (index: number) =>
      nodes[index % 2]?.freshToken(id).then(
        (token) => token ?? 'nobody',
        (error: { code: string }) => error.code,
      )
    return {
      tokenRequests: () => fake.count('/token'),
      answerWith(next: Answer) {
        fake.paths['/token'] = next
      },
      session: () => nodes[0].sessions.peek(id),
      calls: (count: number) => Promise.all(Array.from({ length: count }, (_, n) => call(n))),
      call,
      pass(seconds: number) {
        time += seconds * 1000
      },
      nodes,
      id,
      lines: () => nodes.flatMap((node) => node.lines()).map((line) => JSON.stringify(line)),
    }
  }

  test('a refused refresh token is sent once, and the user signs in again', async () => {
    const { calls, call, tokenRequests, session, lines } = await given(REFUSED)
    expect(new Set(await calls(20))).toEqual(new Set(['login_required']))
    expect(await session()).toMatchObject({ state: 'anonymous' })
    expect([await call(0), await call(1)]).toEqual(['nobody', 'nobody'])
    expect(tokenRequests()).toBe(1)
    const ended = lines().filter((line) => line.includes('upstream sign-in ended by the provider'))
    expect(ended).toHaveLength(1)
    expect(ended[0]).toContain('bad_refresh_token')
  })

  test.each([
    ['without a code', json({ status: 'BAD_REFRESH_TOKEN' }, 400)],
    ['that may be a mistake', json({ error: 'invalid_request' }, 400)],
    ['with 200', json({ ok: false, error: 'team_access_not_granted' })],
  ])(
    'a refusal %s keeps the refresh token, and is retried every 5 minutes',
    async (_what, answer) => {
      const { calls, call, tokenRequests, answerWith, session, nodes, pass } = await given(answer)
      expect(new Set(await calls(20))).toEqual(new Set(['login_required']))
      expect([await call(0), await call(1)]).toEqual(['login_required', 'login_required'])
      const unchanged = await session()
      const failure = unchanged && nodes[0].credentials.failure(unchanged)
      expect(failure).toMatchObject({ refusedAt: expect.any(Number) })
      expect(tokenRequests()).toBe(1)
      pass(299)
      expect(await call(1)).toBe('login_required')
      expect(tokenRequests()).toBe(1)
      pass(1)
      expect(await call(0)).toBe('login_required')
      expect(tokenRequests()).toBe(2)
      answerWith(GOOD)
      pass(300)
      expect(await call(1)).toBe('access-2')
    },
  )

  test('concurrent calls share a failure, on both nodes', async () => {
    const { calls, tokenRequests, session } = await given(UNAVAILABLE)
    expect(new Set(await calls(20))).toEqual(new Set(['upstream_error']))
    expect(tokenRequests()).toBe(1)
    expect(await session()).toMatchObject({ state: 'authenticated' })
  })

  test('an unavailable provider is requested with back-off, by all nodes together', async () => {
    const { call, tokenRequests, answerWith, pass } = await given(UNAVAILABLE)
    for (let n = 0; n < 20; n += 1) expect(await call(n)).toBe('upstream_error')
    expect(tokenRequests()).toBe(2)
    const times: number[] = []
    for (let second = 1; second <= 300; second += 1) {
      pass(1)
      const before = tokenRequests()
      for (const node of [0, 1]) expect(await call(node)).toBe('upstream_error')
      if (tokenRequests() > before) times.push(second)
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 63, 123, 183, 243])
    answerWith(GOOD)
    pass(60)
    expect(await call(1)).toBe('access-2')
    expect(await call(0)).toBe('access-2')
    expect(tokenRequests()).toBe(12)
  })

  test('a provider with Retry-After is not requested before that time', async () => {
    const { call, tokenRequests, answerWith, pass } = await given(
      json({}, 429, { 'retry-after': '30' }),
    )
    await call(0)
    answerWith(GOOD)
    pass(29)
    expect(await call(1)).toBe('upstream_error')
    pass(2)
    expect(await call(1)).toBe('access-2')
    expect(tokenRequests()).toBe(2)
  })

  test('a new sign-in ends the back-off', async () => {
    const { call, pass, nodes, id } = await given(UNAVAILABLE)
    for (let n = 0; n < 4; n += 1) await call(n)
    const lock = await nodes[1].store.lock(`{${id}}:sign-in:x`, 1)
    const anew = credentialsFor(60 * MINUTE_MS, { accessToken: 'access-9' })
    await nodes[1].credentials.write(id, anew, (lock?.token ?? 0) + 1000)
    expect(await call(0)).toBe('access-9')
    pass(1)
    const session = await nodes[0].sessions.peek(id)
    expect(session && nodes[0].credentials.failure(session)).toBeUndefined()
  })

  test('a server that the provider refuses signs nobody out, and logs an error', async () => {
    const { call, calls, tokenRequests, answerWith, session, lines, pass, nodes, id } =
      await given(MISCONFIGURED)
    await calls(10)
    for (let n = 0; n < 10; n += 1) await call(n)
    expect(tokenRequests()).toBe(2)
    expect(await session()).toMatchObject({ state: 'authenticated' })
    await expect(nodes[1].freshToken(id)).rejects.toMatchObject({
      code: 'upstream_error',
      message: expect.stringContaining('does not accept this server'),
    })
    const faults = lines().filter((line) => line.includes('does not accept this server'))
    expect(faults[0]).toMatch(/"level":"error"/)
    expect(faults[0]).toContain('UPSTREAM_CLIENT_SECRET')
    answerWith(GOOD)
    pass(60)
    expect(await call(0)).toBe('access-2')
  })

  test.each([
    ['no access token', NOTHING],
    ['another kind of token', json({ access_token: 'x', token_type: 'mac' })],
  ])('three consecutive responses with %s delete the credentials', async (_what, answer) => {
    const { call, tokenRequests, pass, session } = await given(answer)
    const outcomes: unknown[] = []
    for (let n = 0; n < 4; n += 1) {
      outcomes.push(await call(n))
      pass(10)
    }
    expect(outcomes).toEqual(['upstream_error', 'upstream_error', 'login_required', 'nobody'])
    expect(tokenRequests()).toBe(3)
    expect(await session()).toMatchObject({ state: 'anonymous' })
  })

  test('an unusable response among temporary failures ends no sign-in', async () => {
    const { call, pass, session } = await given(
      inTurn(NOTHING, UNAVAILABLE, NOTHING, NOTHING, UNAVAILABLE, GOOD),
    )
    for (let n = 0; n < 5; n += 1) {
      expect(await call(n)).toBe('upstream_error')
      expect(await session()).toMatchObject({ state: 'authenticated' })
      pass(60)
    }
    expect(await call(0)).toBe('access-2')
  })
}

describe('in memory', () =>
  suite(async () => {
    const store = createMemoryStore()
    return { stores: [store, store], close: store.close }
  }))

describeRedis('plain', 'in Redis', () =>
  suite(async () => {
    const redis = await startRedis('plain')
    const stores = [await connectedStore(redis.url), await connectedStore(redis.url)] as const
    return {
      stores,
      async close() {
        await Promise.all(stores.map((store) => store.close()))
        await redis.stop()
      },
    }
  }),
)
