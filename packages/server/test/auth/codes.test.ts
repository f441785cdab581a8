/** Authorization codes: valid once, for the client and the request that they were issued for. */

import { expect, test } from 'vitest'
import { claimsOf, createOAuthClient, type OAuthClient } from '../support/oauth-client.ts'
import { start, startWithClock } from './authorization-apps.ts'

const REFUSED = { status: 400, body: { error: 'invalid_grant' } }

async function isActive(client: OAuthClient, token: unknown): Promise<boolean> {
  const { body } = await client.introspect(String(token))
  return body.active === true
}

test('of fifty parallel exchanges one succeeds; only a later one revokes its tokens', async () => {
  const { app, pass } = await startWithClock()
  const client = await createOAuthClient(app.url)
  for (let round = 0; round < 3; round += 1) {
    const authorization = await client.authorize()
    const uses = Array.from({ length: 50 }, () => client.exchange(authorization))
    const answers = await Promise.all(uses)
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    for (const lost of answers.filter((each) => !won.includes(each))) {
      expect(lost).toMatchObject(REFUSED)
    }
    const { access_token: token, refresh_token: refresh } = won[0]?.body ?? {}
    expect(await isActive(client, token)).toBe(true)
    pass(3)
    expect(await client.exchange(authorization)).toMatchObject(REFUSED)
    expect(await isActive(client, token)).toBe(false)
    expect(await client.refresh(String(refresh))).toMatchObject(REFUSED)
  }
})

test.each([
  ['another verifier', { code_verifier: 'v'.repeat(43) }],
  ['no verifier', { code_verifier: undefined }],
  ['another redirect URI', { redirect_uri: 'http://127.0.0.1:33418/other' }],
  ['an unknown resource', { resource: 'https://elsewhere.example/mcp' }],
  ['a resource that was not granted', { resource: 'SSE' }],
])('%s is refused, and the code stays valid', async (_what, params) => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const authorization = await client.authorize()
  const sent =
    'resource' in params && params.resource === 'SSE' ? { resource: `${app.url}/sse` } : params
  const refused = await client.exchange(authorization, sent)
  expect(refused.status).toBe(400)
  const { body } = await client.exchange(authorization)
  expect(body).toHaveProperty('access_token')
})

test('a client of OAuth 2.1 exchanges it without a redirect URI (section 10.2)', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const without = { redirect_uri: undefined }
  const authorization = await client.authorize()
  const guess = { ...without, code_verifier: 'v'.repeat(43) }
  expect(await client.exchange(authorization, guess)).toMatchObject(REFUSED)
  const other = await createOAuthClient(app.url)
  expect(await other.exchange(authorization, without)).toMatchObject(REFUSED)
  expect(await client.exchange(authorization, without)).toMatchObject({ status: 200 })
  expect(await client.exchange(authorization, without)).toMatchObject(REFUSED)
  expect(await client.exchange({ code: 'none', verifier: '' }, without)).toMatchObject(REFUSED)
})

test.each(['/mcp/', '/mcp?tenant=1', '', '/'])(
  'so does one whose resource is "%s"',
  async (path) => {
    const app = await start()
    const client = await createOAuthClient(app.url)
    const resource = app.url + path
    const authorization = await client.authorize({ resource })
    const exchanged = await client.exchange(authorization, { resource, redirect_uri: undefined })
    expect(exchanged).toMatchObject({ status: 200 })
  },
)

test('another client cannot use it', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const other = await createOAuthClient(app.url)
  const authorization = await client.authorize()
  expect(await other.exchange(authorization)).toMatchObject(REFUSED)
  expect(await client.exchange(authorization)).toMatchObject({ status: 200 })
})

test('it expires', async () => {
  const { app, pass } = await startWithClock({ AUTH_CODE_TTL: '10' })
  const client = await createOAuthClient(app.url)
  const authorization = await client.authorize()
  pass(11)
  expect(await client.exchange(authorization)).toMatchObject(REFUSED)
})

test('a token is for the requested resource, however it is spelled', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  for (const [asked, audience] of [
    [undefined, '/mcp'],
    ['/mcp', '/mcp'],
    ['/mcp/', '/mcp'],
    ['/http', '/http'],
    ['/sse', '/sse'],
  ] as const) {
    const resource = asked && app.url + asked
    const authorization = await client.authorize({ resource })
    const { body } = await client.exchange(authorization, { resource })
    expect(claimsOf(String(body.access_token)).aud).toBe(app.url + audience)
  }
})
