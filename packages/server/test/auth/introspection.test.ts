/** Token introspection (RFC 7662): how often, for whom, and the meaning of responses. */

import type { IncomingMessage } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startExternalIssuer } from '../support/external-issuer.ts'
import { startTokenApp, withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'

type Answer = { readonly status?: number; readonly body: unknown }
interface IntrospectionRequest {
  readonly token: string
  readonly authorization: string | undefined
  readonly form: URLSearchParams
}

const CLIENT = {
  OAUTH_INTROSPECTION_CLIENT_ID: 'bank-server',
  OAUTH_INTROSPECTION_CLIENT_SECRET: 'secret-of-introspection',
}

/** A server whose issuer answers by `answers`, per token, and records the requests. */
async function start(env: Record<string, string> = {}) {
  const issuer = await startExternalIssuer()
  onTestFinished(() => issuer.stop())
  const answers = new Map<string, Answer>()
  const requests: IntrospectionRequest[] = []
  issuer.metadataIs({ introspection_endpoint: `${issuer.url}/introspect` })
  issuer.answerAt('/introspect', async (request, response) => {
    const form = new URLSearchParams(await textOf(request))
    const token = form.get('token') ?? ''
    requests.push({ token, authorization: request.headers.authorization, form })
    const { status = 200, body } = answers.get(token) ?? { body: { active: false } }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const app = await startTokenApp({
    env: { OAUTH_ISSUER: issuer.url, OAUTH_INTROSPECTION: 'opaque', ...CLIENT, ...env },
  })
  onTestFinished(() => app.stop())
  const send = (token: string, name = 'service') =>
    read(postModern(app.url, 'tools/call', { name, arguments: {} }, { headers: withToken(token) }))
  const { scope, ...rest } = issuer.claims(`${app.url}/mcp`)
  const good = { ...rest, active: true, scope: 'mcp service:read', token_type: 'Bearer' }
  return { app, issuer, send, requests, answers, good }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const REFUSED = 'access token refused'

test('an active token is introspected once a minute, with the secret in the header', async () => {
  const { send, requests, answers, good } = await start()
  answers.set('opaque-1', { body: good })
  const all = await Promise.all(Array.from({ length: 10 }, () => send('opaque-1')))
  expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
  expect(requests).toHaveLength(1)
  const credentials = Buffer.from('bank-server:secret-of-introspection').toString('base64')
  expect(requests[0]?.authorization).toBe(`Basic ${credentials}`)
  expect(Object.fromEntries(requests[0]?.form ?? [])).toEqual({
    token: 'opaque-1',
    token_type_hint: 'access_token',
  })
})

test('the secret may be in the form', async () => {
  const { send, requests, answers, good } = await start({ OAUTH_INTROSPECTION_AUTH: 'post' })
  answers.set('opaque-1', { body: good })
  expect((await send('opaque-1')).status).toBe(200)
  expect(requests[0]?.authorization).toBeUndefined()
  expect(requests[0]?.form.get('client_secret')).toBe('secret-of-introspection')
})

test('an inactive token is not introspected again at once', async () => {
  const { app, send, requests } = await start()
  for (let n = 0; n < 3; n += 1) expect((await send('nobody-knows')).status).toBe(401)
  expect(requests).toHaveLength(1)
  expect(app.lines.join('')).toContain('introspection says that it is not active')
  expect(app.lines.join('')).not.toMatch(/nobody-knows|secret-of-introspection/)
})

test('unauthenticated callers cannot cause unlimited introspection, nor lock out others', async () => {
  const { send, requests, answers, good } = await start({ RATE_LIMIT: 'off' })
  answers.set('opaque-1', { body: good })
  expect((await send('opaque-1')).status).toBe(200)
  const statuses: number[] = []
  for (let n = 0; n < 80; n += 1) statuses.push((await send(`made-up-${n}`)).status)
  expect(requests.length).toBeLessThan(130)
  expect(new Set(statuses)).toEqual(new Set([401, 429]))
  expect((await send('opaque-1')).status).toBe(200)
})

describe('an answer', () => {
  test.each<[string, object, string]>([
    ['for another audience', { aud: 'https://other.example' }, 'aud does not name'],
    ['without an audience', { aud: undefined }, 'aud is missing'],
    ['of another issuer', { iss: 'https://other.example' }, 'iss'],
    ['that has expired', { exp: 1 }, 'exp'],
    ['of great age', { iat: 1 }, 'iat'],
    ['about a refresh token', { token_type: 'refresh_token' }, 'token_type'],
    ['about a refresh token of Keycloak', { typ: 'Refresh' }, 'typ'],
    ['about a refresh token of Hydra', { token_use: 'refresh_token' }, 'token_use'],
    ['about an ID token', { nonce: 'n' }, 'nonce'],
    ['without a subject', { sub: undefined, client_id: undefined }, 'sub'],
    ['that is active as text', { active: 'true' }, ''],
  ])('%s is refused, and the log has the reason', async (_what, more, reason) => {
    const { app, send, answers, good } = await start()
    answers.set('opaque-1', { body: { ...good, ...more } })
    const { status } = await send('opaque-1')
    // A malformed response says nothing about the token.
    expect(status).toBe(reason === '' ? 503 : 401)
    const line = app.lines.find((each) => each.includes(REFUSED))
    if (reason !== '') expect(JSON.parse(line ?? '{}').reason).toContain(reason)
  })

  test.each<[string, object, Record<string, string>?]>([
    [
      'without a time of issue, an expiry and an issuer',
      { iat: undefined, exp: undefined, iss: undefined },
    ],
    ['about a machine', { sub: undefined }],
    [
      'without an audience, for a client that may',
      { aud: undefined },
      { OAUTH_CLIENTS_WITHOUT_AUDIENCE: 'client-a' },
    ],
  ])('%s is accepted', async (_what, more, env) => {
    const { send, answers, good } = await start(env)
    answers.set('opaque-1', { body: { ...good, ...more } })
    expect((await send('opaque-1')).status).toBe(200)
  })

  test('without the scope of a tool does not suffice for it', async () => {
    const { send, answers, good } = await start()
    answers.set('opaque-1', { body: { ...good, scope: 'other:read' } })
    expect((await send('opaque-1')).status).toBe(403)
  })
})

test.each<[string, Answer]>([
  ['401', { status: 401, body: { error: 'invalid_client' } }],
  ['500', { status: 500, body: {} }],
  ['nonsense', { body: ['active'] }],
  ['very much', { body: { active: true, groups: 'x'.repeat(100_000) } }],
])(
  'an issuer that answers %s invalidates no token, and is requested again',
  async (_what, answer) => {
    const { app, send, requests, answers, good } = await start()
    answers.set('opaque-1', answer)
    const refused = await send('opaque-1')
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([503, null])
    expect(app.lines.join('')).toContain('introspection failed')
    answers.set('opaque-1', { body: good })
    expect((await send('opaque-1')).status).toBe(200)
    expect(requests).toHaveLength(2)
  },
)

describe('a JWT', () => {
  test('is checked by its signature with `opaque`', async () => {
    const { app, issuer, send, requests } = await start()
    expect((await send(await issuer.sign(issuer.claims(`${app.url}/mcp`)))).status).toBe(200)
    expect(requests).toHaveLength(0)
  })

  test('is introspected with `always`, whatever its signature', async () => {
    const { app, issuer, send, requests, answers, good } = await start({
      OAUTH_INTROSPECTION: 'always',
    })
    const token = await issuer.sign(issuer.claims(`${app.url}/mcp`))
    expect((await send(token)).status).toBe(401)
    const other = `${token}x`
    answers.set(other, { body: good })
    expect((await send(other)).status).toBe(200)
    expect(requests).toHaveLength(2)
  })

  test('that is an ID token is refused with `always`, whatever the issuer answers', async () => {
    const { app, issuer, send, requests, answers, good } = await start({
      OAUTH_INTROSPECTION: 'always',
    })
    const token = await issuer.sign({ ...issuer.claims(`${app.url}/mcp`), nonce: 'n' })
    answers.set(token, { body: good })
    expect((await send(token)).status).toBe(401)
    expect(requests).toHaveLength(0)
  })

  test('is the only accepted kind without introspection', async () => {
    const { app, send, requests, answers, good } = await start({
      ...{ OAUTH_INTROSPECTION: 'off', OAUTH_INTROSPECTION_CLIENT_ID: '' },
      OAUTH_INTROSPECTION_CLIENT_SECRET: '',
    })
    answers.set('opaque-1', { body: good })
    expect((await send('opaque-1')).status).toBe(401)
    expect([requests.length, app.lines.join('').includes(REFUSED)]).toEqual([0, true])
  })
})
