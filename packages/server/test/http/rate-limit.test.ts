/** Rate limits by session, MCP session and address, with the time to retry. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { postDirect } from '../support/direct.ts'
import { failingStore } from '../support/failing-store.ts'
import { limitsIn } from '../support/rate-limits.ts'
import { startTokenApp, type TokenApp, withToken } from '../support/token-app.ts'
import {
  type Answer,
  connect,
  type HeaderFields,
  INITIALIZE,
  post,
  postModern,
  read,
  request,
} from '../support/wire.ts'

const CALLER = 5
const ADDRESS = 20
const LIMITS = { RATE_LIMIT_CALLER: String(CALLER), RATE_LIMIT_ADDRESS: String(ADDRESS) }

let last = 0
/** The header of a new address, as a proxy adds it. */
function newAddress(): HeaderFields {
  last += 1
  return { 'x-forwarded-for': `192.0.2.${last}` }
}

const times = async <T>(count: number, act: (index: number) => Promise<T>) => {
  const results: T[] = []
  for (let index = 0; index < count; index += 1) results.push(await act(index))
  return results
}
const statusesOf = (answers: readonly { readonly status: number }[]) =>
  answers.map(({ status }) => status)

function expectRefusal({ status, headers, message }: Answer, id: unknown): void {
  expect(status).toBe(429)
  const seconds = Number(headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(60)
  expect(message).toMatchObject({
    id,
    error: { code: -32000, data: { code: 'too_many_requests' } },
  })
  expect(message.error?.message).toContain(`${seconds} seconds`)
}

describe('callers with a token', () => {
  let app: TokenApp
  beforeAll(async () => {
    app = await startTokenApp({ env: { ...LIMITS, TRUSTED_PROXIES: '1', MCP_AUTH: 'required' } })
  })
  afterAll(() => app.stop())

  const discover = (headers: HeaderFields) =>
    read(postModern(app.url, 'server/discover', {}, { headers, id: 7 }))

  it('are counted by their session, wherever they call from and with whichever token', async () => {
    const options = { subject: 'ada', client: 'client-a' }
    const tokens = [await app.bearer(options), await app.bearer(options)]
    const call = (index: number) => discover({ ...newAddress(), ...tokens[index % 2] })
    const answers = await times(CALLER, call)
    expect(statusesOf(answers)).toEqual(Array.from({ length: CALLER }, () => 200))
    const limits = answers.map(({ headers }) => limitsIn(headers))
    expect(limits.map(([caller]) => caller?.remaining)).toEqual([4, 3, 2, 1, 0])
    expect(limits[0]).toEqual([
      { limit: 'caller', quota: CALLER, window: 60, remaining: 4, secondsLeft: 60 },
    ])
    const refused = await call(0)
    expectRefusal(refused, 7)
    const [caller] = limitsIn(refused.headers)
    expect(caller).toMatchObject({ limit: 'caller', quota: CALLER, remaining: 0 })
    expect(caller?.secondsLeft).toBe(Number(refused.headers.get('retry-after')))
  })

  it('are not locked out by others at their address', async () => {
    const here = newAddress()
    const strangers = await times(ADDRESS + 3, () => discover(here))
    expect(statusesOf(strangers).slice(0, ADDRESS)).toEqual(
      Array.from({ length: ADDRESS }, () => 401),
    )
    expectRefusal(strangers.at(-1) ?? expect.fail(), 7)
    const good = await app.bearer({ subject: 'grace', client: 'client-a' })
    expect((await discover({ ...here, ...good })).status).toBe(200)
    expect((await discover(newAddress())).status).toBe(401)
  })

  it('are counted by address if the token is invalid, so that guessing is bounded', async () => {
    const here = newAddress()
    const guess = (index: number) => discover({ ...here, ...withToken(`guess-${index}`) })
    const answers = await times(ADDRESS + 5, guess)
    expect(statusesOf(answers)).toEqual([
      ...Array.from({ length: ADDRESS }, () => 401),
      ...Array.from({ length: 5 }, () => 429),
    ])
    expect(answers[0]?.headers.get('www-authenticate')).toContain('invalid_token')
    expect(limitsIn(answers[0]?.headers ?? new Headers())).toMatchObject([{ limit: 'address' }])
  })

  it('get a problem document if they do not speak JSON-RPC', async () => {
    const good = withToken(await app.issuer.token(`${app.url}/http`, { subject: 'direct' }))
    const list = '{"method":"tools/list"}'
    const call = () => postDirect(app.url, list, { headers: { ...good, ...newAddress() } })
    await times(CALLER, call)
    const { status, type, headers, body } = await call()
    expect([status, type]).toEqual([429, 'application/problem+json'])
    expect(body).toMatchObject({ status: 429, code: 'too_many_requests' })
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(limitsIn(headers)).toMatchObject([{ limit: 'caller', remaining: 0 }])
  })
})

describe('callers without a token', () => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp({ env: { ...LIMITS, TRUSTED_PROXIES: '1' } })
  })
  afterAll(() => app.stop())

  const ping = (headers: HeaderFields) => read(post(app.url, request('ping', {}, 'p'), headers))
  async function connectFrom(here: HeaderFields): Promise<HeaderFields> {
    const { headers } = await read(post(app.url, INITIALIZE, here))
    return { ...here, 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
  }

  it('are counted by address, in either era', async () => {
    const here = newAddress()
    const answers = await times(ADDRESS, () =>
      read(postModern(app.url, 'server/discover', {}, { headers: here })),
    )
    expect(new Set(statusesOf(answers))).toEqual(new Set([200]))
    expectRefusal(await read(post(app.url, INITIALIZE, here)), 1)
    expect((await read(post(app.url, INITIALIZE, newAddress()))).status).toBe(200)
  })

  it('are counted by MCP session, too: one does not use up the limit of others', async () => {
    const here = newAddress()
    const [busy, calm] = [await connectFrom(here), await connectFrom(here)]
    const answers = await times(CALLER, () => ping(busy))
    expect(limitsIn(answers.at(-1)?.headers ?? new Headers())).toMatchObject([
      { limit: 'address', quota: ADDRESS, remaining: ADDRESS - 2 - CALLER },
      { limit: 'caller', quota: CALLER, remaining: 0 },
    ])
    expectRefusal(await ping(busy), 'p')
    expect((await ping(calm)).status).toBe(200)
    const ended = await fetch(`${app.url}/mcp`, { method: 'DELETE', headers: calm })
    expect(limitsIn(ended.headers)).toHaveLength(2)
  })

  it('cannot get more by nonexistent MCP sessions', async () => {
    const here = newAddress()
    const answers = await times(ADDRESS + 2, (index) =>
      ping({ ...here, 'mcp-session-id': `con_${String(index).padStart(43, 'x')}` }),
    )
    expect(statusesOf(answers)).toEqual([
      ...Array.from({ length: ADDRESS }, () => 404),
      ...[429, 429],
    ])
  })

  it('are counted on the older transport too', async () => {
    const headers = { ...newAddress(), 'content-type': 'application/json' }
    const unknown = `ses_${'x'.repeat(43)}`
    const send = () =>
      fetch(`${app.url}/messages?session_id=${unknown}`, { method: 'POST', headers, body: '{}' })
    const statuses = statusesOf(await times(CALLER + 1, send))
    expect(statuses).toEqual([...Array.from({ length: CALLER }, () => 404), 429])
  })

  it('may send CORS preflights and probes without limit', async () => {
    const here = newAddress()
    const preflight = { origin: app.url, 'access-control-request-method': 'POST', ...here }
    const answers = [
      ...(await times(ADDRESS + 5, () =>
        fetch(`${app.url}/mcp`, { method: 'OPTIONS', headers: preflight }),
      )),
      ...(await times(ADDRESS + 5, () => fetch(`${app.url}/livez`, { headers: here }))),
    ]
    expect(new Set(statusesOf(answers))).toEqual(new Set([204, 200]))
    expect(answers.filter(({ headers }) => headers.has('ratelimit'))).toEqual([])
    expect((await connectFrom(here))['mcp-session-id']).toMatch(/^con_/)
  })

  it('may read the headers in pages', async () => {
    const { headers } = await read(post(app.url, INITIALIZE, { ...newAddress(), origin: app.url }))
    const exposed = (headers.get('access-control-expose-headers') ?? '').split(',')
    expect(exposed).toEqual(expect.arrayContaining(['RateLimit', 'RateLimit-Policy']))
  })
})

describe('people', () => {
  it('open 600 pages a minute from one address, then get a page', async () => {
    const app = await startApp({ env: { TRUSTED_PROXIES: '1' } })
    const here = newAddress()
    const open = () => fetch(`${app.url}/callback?state=unknown`, { headers: here })
    for (let round = 0; round < 12; round += 1) {
      const opened = await Promise.all(Array.from({ length: 50 }, open))
      expect(statusesOf(opened)).not.toContain(429)
      await Promise.all(opened.map((each) => each.arrayBuffer()))
    }
    const refused = await open()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toMatch(/^text\/html/)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(limitsIn(refused.headers)).toMatchObject([{ limit: 'page', quota: 600, remaining: 0 }])
    expect(await refused.text()).toContain('Too many requests')
    const response = await read(postModern(app.url, 'server/discover', {}, { headers: here }))
    expect(response.status).toBe(200)
    await app.stop()
  })
})

describe('this machine', () => {
  const call = (app: TestApp) => read(postModern(app.url, 'server/discover'))

  it.each([
    ['auto', false],
    ['on', true],
    ['off', false],
  ])('outside production, with RATE_LIMIT=%s: counted %s', async (limit, isCounted) => {
    const app = await startApp({ env: { ...LIMITS, RATE_LIMIT: limit } })
    const answers = await times(ADDRESS + 1, () => call(app))
    expect(answers.at(-1)?.status).toBe(isCounted ? 429 : 200)
    expect(answers.at(-1)?.headers.has('ratelimit')).toBe(isCounted)
    await app.stop()
  })
})

describe('while the store is unavailable', () => {
  const store = failingStore()
  afterEach(() => store.reconnect())

  it('is 503, never a refusal', async () => {
    const app = await startApp({ store, env: { ...LIMITS, RATE_LIMIT: 'on' } })
    const connection = await connect(app.url)
    store.disconnect()
    for (const headers of [{}, connection]) {
      const { status, message } = await read(post(app.url, request('ping'), headers))
      expect([status, message.error?.data]).toEqual([503, { code: 'unavailable' }])
    }
    expect((await fetch(`${app.url}/callback?state=x`)).status).toBe(503)
    store.reconnect()
    expect((await read(post(app.url, request('ping'), connection))).status).toBe(200)
    await app.stop()
  })
})
