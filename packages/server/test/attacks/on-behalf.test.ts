/**
 * Attacks on token exchange: tokens of other issuers or audiences, and exchanged tokens of other
 * callers.
 */

import { describe, expect, onTestFinished, test } from 'vitest'
import { seconds } from '../support/external-issuer.ts'
import { exchanged, RFC8693, startOnBehalf } from '../support/on-behalf.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { withToken } from '../support/token-app.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

import { watchRedis } from './leak-hunt/redis-watch.ts'

describe('a token that was not issued for this server is not exchanged', () => {
  type Server = Awaited<ReturnType<typeof startOnBehalf>>
  const without = (server: Server, name: string) => {
    const { [name]: _left, ...rest } = server.claims()
    return rest
  }
  test.each<[string, (server: Server) => Promise<string>]>([
    ['for the API', ({ issuer, claims }) => issuer.sign({ ...claims(), aud: 'api://bank' })],
    ['for our client id', ({ issuer, claims }) => issuer.sign({ ...claims(), aud: 'bank-server' })],
    ['without an audience', (server) => server.issuer.sign(without(server, 'aud'))],
    ['of another issuer', ({ issuer, claims }) => issuer.sign({ ...claims(), iss: 'https://x.y' })],
    ['expired', ({ issuer, claims }) => issuer.sign({ ...claims(), exp: seconds() - 1 })],
    ['too old', ({ issuer, claims }) => issuer.sign({ ...claims(), iat: seconds() - 90_000 })],
    ['an ID token', ({ issuer, claims }) => issuer.sign({ ...claims(), nonce: 'n' })],
    ['an ID-JAG', ({ issuer, claims }) => issuer.sign(claims(), { typ: 'oauth-id-jag+jwt' })],
    ['with a cut signature', async ({ token }) => (await token()).slice(0, -5)],
    ['opaque', async () => 'opaque-token-of-somebody'],
  ])('%s', async (_what, make) => {
    const server = await startOnBehalf()
    const { status } = await server.call(await make(server))
    expect([status, server.exchanges, server.api.seen]).toEqual([401, [], []])
  })

  test('nor is anything without a token', async () => {
    const { apps, exchanges, api } = await startOnBehalf()
    await read(postModern(apps[0].localUrl, 'tools/call', { name: 'service', arguments: {} }))
    expect([exchanges, api.seen]).toEqual([[], []])
  })
})

test('two people, and two clients of one, never use a token exchanged for the other', async () => {
  const { call, token, exchanges, answer } = await startOnBehalf()
  let count = 0
  answer((form) => {
    count += 1
    const { access_token: own } = exchanged(form)
    return { body: exchanged(form, { access_token: `${own}-${count}` }) }
  })
  const [ada, bob, other] = await Promise.all([
    token({ subject: 'ada' }),
    token({ subject: 'bob' }),
    token({ subject: 'ada', client: 'client-b' }),
  ])
  const texts = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const who = [ada, bob, other][index % 3] ?? ada
      return [index % 3, (await call(who)).text] as const
    }),
  )
  for (const [who, text] of texts) {
    expect(text).toContain(who === 1 ? 'Account of bob' : 'Account of ada')
  }
  expect(new Set(texts.map(([who, text]) => `${who} ${text}`)).size).toBe(3)
  expect(exchanges).toHaveLength(3)
})

test('an MCP session or handle of another person gives no access to the exchanged token', async () => {
  const { call, token, apps, api } = await startOnBehalf()
  const [ada, bob] = [await token({ subject: 'ada' }), await token({ subject: 'bob' })]
  expect((await call(ada)).isError).toBe(false)
  const { localUrl } = apps[0]
  const opened = await post(localUrl, INITIALIZE, withToken(ada))
  const stolen = {
    ...withToken(bob),
    'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
  }
  const before = api.seen.length
  const named = request('tools/call', { name: 'service', arguments: {} })
  expect((await read(post(localUrl, named, stolen))).status).toBe(404)
  expect(api.seen).toHaveLength(before)
})

test('a token with fewer scopes does not use a token exchanged for more', async () => {
  const { call, token, exchanges, issuer, claims } = await startOnBehalf()
  expect((await call(await token())).isError).toBe(false)
  const narrow = await issuer.sign({ ...claims(), scope: 'service:read' })
  expect((await call(narrow)).isError).toBe(false)
  expect(exchanges.map(({ form }) => form.get('subject_token'))[1]).toBe(narrow)
})

test.each<[string, (form: URLSearchParams) => object]>([
  [
    'an ID token',
    (form) => exchanged(form, { issued_token_type: 'urn:ietf:params:oauth:token-type:id_token' }),
  ],
  [
    'a refresh token',
    (form) =>
      exchanged(form, { issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
  ],
  ['no bearer token', (form) => exchanged(form, { token_type: 'N_A' })],
  ['the same token', (form) => exchanged(form, { access_token: form.get('subject_token') })],
  ['no token', (form) => exchanged(form, { access_token: '' })],
])('a provider that answers with %s: nothing is sent to the API', async (_what, body) => {
  const { call, token, answer, api, lines } = await startOnBehalf()
  answer((form) => ({ body: body(form) }))
  const ada = await token()
  expect((await call(ada)).isError).toBe(true)
  expect(api.seen).toEqual([])
  expect(lines()).not.toContain(ada)
})

test('a redirect of the token endpoint is not followed', async () => {
  const { call, token, issuer, api } = await startOnBehalf()
  issuer.answerAt('/exchange', (_request, response) =>
    response.writeHead(307, { location: `${api.origin}/steal` }).end(),
  )
  expect((await call(await token())).isError).toBe(true)
  expect(api.seen).toEqual([])
})

test('the parameters of a call do not reach the exchange', async () => {
  const { token, apps, exchanges } = await startOnBehalf()
  const args = { accountId: 'me', audience: 'api://other', subject_token: 'x' }
  const headers = withToken(await token())
  await read(
    postModern(apps[0].localUrl, 'tools/call', { name: 'service', arguments: args }, { headers }),
  )
  for (const { form } of exchanges) expect(form.get('audience')).toBe('api://bank')
})

test('after logout the exchanged token is revoked, and the old token exchanges nothing', async () => {
  const { call, token, exchanges, issuer } = await startOnBehalf()
  const revoked: string[] = []
  issuer.metadataIs({
    authorization_endpoint: `${issuer.url}/authorize`,
    token_endpoint: `${issuer.url}/exchange`,
    revocation_endpoint: `${issuer.url}/revoke`,
  })
  issuer.answerAt('/revoke', async (incoming, response) => {
    for await (const chunk of incoming) revoked.push(String(chunk))
    response.writeHead(200).end()
  })
  const ada = await token()
  expect((await call(ada)).isError).toBe(false)
  expect((await call(ada, 'logout')).isError).toBe(false)
  expect(revoked.join()).toContain('api-token-of-ada')
  expect(await call(ada)).toMatchObject({ status: 401 })
  expect(exchanges).toHaveLength(1)
})

describeRedis('plain', 'on three nodes', () => {
  async function start() {
    const redis = await startSuiteRedis('plain')
    onTestFinished(() => redis.stop())
    return {
      redis,
      ...(await startOnBehalf({ env: { ...RFC8693, REDIS_URL: redis.url }, nodes: 3 })),
    }
  }

  test('concurrent calls cause one exchange, and one refusal', async () => {
    const { call, token, exchanges, answer } = await start()
    const all = async (who: string) =>
      Promise.all(Array.from({ length: 15 }, (_, index) => call(who, 'service', index % 3)))
    const calls = await all(await token({ subject: 'ada' }))
    expect(calls.map(({ isError }) => isError)).not.toContain(true)
    expect(exchanges).toHaveLength(1)
    answer(() => ({ status: 400, body: { error: 'interaction_required' } }))
    const refused = await all(await token({ subject: 'bob' }))
    expect(refused.map(({ isError }) => isError)).not.toContain(false)
    expect(exchanges).toHaveLength(2)
  })

  test('neither token is in the store or the log in plain text', async () => {
    const { call, token, redis, lines } = await start()
    const watch = await watchRedis(redis)
    onTestFinished(() => watch.close())
    const ada = await token({ subject: 'ada' })
    expect((await call(ada)).isError).toBe(false)
    const written = () => watch.commands.join('\n')
    // Commands are reported on a connection of their own.
    await expect.poll(written).toContain(':session')
    for (const text of [await watch.dump(), written(), lines()]) {
      expect(text).not.toContain(ada)
      expect(text).not.toContain('api-token-of-ada')
    }
  })
})

test('scopes of the issuer that map to the same scope of tools are distinct for the API', async () => {
  const OAUTH_SCOPE_MAP = '{"Bank.Read":"service:read mcp","Bank.Write":"service:read mcp"}'
  const { call, exchanges, issuer, claims } = await startOnBehalf({
    env: { ...RFC8693, OAUTH_SCOPE_MAP },
  })
  const withScope = (scope: string) => issuer.sign({ ...claims(), scope })
  const [write, read] = [await withScope('Bank.Write'), await withScope('Bank.Read')]
  expect((await call(write)).isError).toBe(false)
  expect((await call(read)).isError).toBe(false)
  expect(exchanges.map(({ form }) => form.get('subject_token'))).toEqual([write, read])
})
