/** Known kinds of token responses of providers, at a refresh and for a code, over HTTP. */

import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  byEndpoints,
  byIssuer,
  CALLBACK,
  CHECK,
  REDIRECT_URI,
  startProvider,
} from './fake-provider.ts'
import { type Answer, json } from './misbehaving-server.ts'

const OLD = { accessToken: 'secret-old', refreshToken: 'secret-r' }
const TOKENS = { access_token: 'new', refresh_token: 'next', expires_in: 3600 }
const FORM = 'application/x-www-form-urlencoded'

function text(body: string, status: number, type = 'text/html', more = {}): Answer {
  return (res) => res.writeHead(status, { 'content-type': type, ...more }).end(body)
}

const GZIP = { 'content-encoding': 'gzip' }
const GOOD = JSON.stringify(TOKENS)

function packed(pack: (text: string) => Buffer, encoding: string): Answer {
  const type = { 'content-type': 'application/json', 'content-encoding': encoding }
  return (res) => res.writeHead(200, type).end(pack(GOOD))
}

const inChunks: Answer = (res) => {
  res.writeHead(200, { 'content-type': 'application/json' })
  for (const letter of GOOD) res.write(letter)
  res.end()
}

/** The outcome of a refresh and of a code: tokens, or the code of a ProviderError. */
async function outcomes(answer: Answer) {
  const fake = await startProvider()
  fake.paths['/token'] = answer
  const provider = byEndpoints(fake)
  const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error)
  const refreshed = await provider.refresh(OLD).catch(codeOf)
  return [refreshed, await provider.exchange(CALLBACK, REDIRECT_URI, CHECK).catch(codeOf)]
}

describe('tokens', () => {
  test.each<[string, Answer, object?]>([
    ['the standard', json({ ...TOKENS, token_type: 'Bearer', scope: 'a b' }), { scope: 'a b' }],
    ['null where nothing is meant', json({ ...TOKENS, scope: null, id_token: null, error: null })],
    [
      'an empty refresh token',
      json({ ...TOKENS, refresh_token: '' }),
      { refreshToken: 'secret-r' },
    ],
    ['no token_type', json(TOKENS)],
    ['the token type of a user', json({ ...TOKENS, token_type: 'user', ok: true })],
    ['the token type of a bot', json({ ...TOKENS, token_type: 'bot', ok: true })],
    ['a token type with spaces', json({ ...TOKENS, token_type: ' Bearer ' })],
    ['scopes as a list', json({ ...TOKENS, scope: ['a', 'b'] }), { scope: 'a b' }],
    ['201', json({ ...TOKENS, token_type: 'bearer' }, 201)],
    ['202', json({ ...TOKENS, token_type: 'bearer' }, 202)],
    [
      'Slack, nested',
      json({ ok: true, app_id: 'A', authed_user: { id: 'U', ...TOKENS, token_type: 'user' } }),
    ],
    ['others, nested', json({ code: 0, message: 'success', data: TOKENS })],
    ['nested beside null', json({ access_token: null, refresh_token: null, data: TOKENS })],
    ['GitHub, as a form', text('access_token=new&refresh_token=next&expires_in=3600', 200, FORM)],
    ['a form as text', text('access_token=new&refresh_token=next&expires=3600', 200, 'text/plain')],
    [
      'a form without a type',
      (res) => res.end('access_token=new&refresh_token=next&expires_in=3600'),
    ],
    ['a type of null', json({ ...TOKENS, token_type: null })],
    ['a type in capitals', json({ ...TOKENS, token_type: 'BEARER' })],
    ['a lifetime with a fraction', json({ ...TOKENS, expires_in: 3599.5 })],
    ['a lifetime of a century', json({ ...TOKENS, expires_in: 3_153_600_000 })],
    ['a lifetime as text with a fraction', json({ ...TOKENS, expires_in: '3600.0' })],
    ['scopes with commas', json({ ...TOKENS, scope: 'a,b' }), { scope: 'a,b' }],
    ['an empty list of scopes', json({ ...TOKENS, scope: [] })],
    ['JSON after a byte order mark', text(`\ufeff${GOOD}`, 200, 'application/json')],
    ['JSON with space around', text(`\r\n ${GOOD} \n\n`, 200, 'application/json')],
    ['JSON of type text/html', text(GOOD, 200, 'text/html; charset=utf-8')],
    ['JSON of type text/javascript', text(GOOD, 200, 'text/javascript')],
    ['JSON of a type of its own', text(GOOD, 200, 'application/vnd.acme+json')],
    ['JSON that names a field twice', text(GOOD.replace('{', '{"access_token":"old",'), 200)],
    ['gzip', packed(gzipSync, 'gzip')],
    ['deflate', packed(deflateSync, 'deflate')],
    ['brotli', packed(brotliCompressSync, 'br')],
    ['JSON in chunks', inChunks],
    ['an error of null beside', json({ ...TOKENS, error: null, error_description: '' })],
    ['an error of false beside', json({ ...TOKENS, error: false })],
    ['unknown fields', json({ ...TOKENS, refresh_token_expires_in: 1, extra: [{}] })],
    ['the lifetime as text', json({ ...TOKENS, expires_in: '3600' })],
    ['the lifetime as `expires`', json({ ...TOKENS, expires_in: undefined, expires: 3600 })],
  ])('as %s are accepted', async (_kind, answer, more = {}) => {
    const [refreshed, exchanged] = await outcomes(answer)
    const expiresAt = expect.any(Number)
    expect(refreshed).toEqual({ accessToken: 'new', refreshToken: 'next', expiresAt, ...more })
    expect(exchanged).toMatchObject({ accessToken: 'new', expiresAt })
  })

  test.each([
    ['no', { access_token: 'new' }, 'secret-r'],
    ['a null', { access_token: 'new', refresh_token: null }, 'secret-r'],
    ['an empty', { access_token: 'new', refresh_token: '' }, 'secret-r'],
    ['a rotated', { access_token: 'new', refresh_token: 'next' }, 'next'],
    ['the same', { access_token: 'new', refresh_token: 'secret-r' }, 'secret-r'],
  ])('with %s refresh token keep a usable one', async (_what, answer, refreshToken) => {
    expect((await outcomes(json(answer)))[0]).toMatchObject({ accessToken: 'new', refreshToken })
  })

  test.each([
    ['infinite', '1e400'],
    ['negative', '-5'],
    ['zero', '0'],
    ['a list', '[]'],
    ['an object', '{}'],
    ['true', 'true'],
  ])('with a lifetime of %s do not fail the sign-in', async (_what, lifetime) => {
    const body = `{"access_token":"new","expires_in":${lifetime}}`
    const both = await outcomes(text(body, 200, 'application/json'))
    expect(both).toMatchObject([{ accessToken: 'new' }, { accessToken: 'new' }])
  })

  test.each(['mac', 'dpop', 'N_A'])(
    'of the type %s are not treated as bearer tokens',
    async (type) => {
      for (const outcome of await outcomes(json({ ...TOKENS, token_type: type }))) {
        expect(outcome).toMatch(/^(invalid_response|provider_unavailable)$/)
      }
    },
  )

  test('of a nested token do not replace those at the top level', async () => {
    const slack = { ok: true, ...TOKENS, token_type: 'bot', authed_user: { access_token: 'other' } }
    expect(await outcomes(json(slack))).toMatchObject([
      { accessToken: 'new' },
      { accessToken: 'new' },
    ])
  })

  test('of which several are nested are ambiguous and refused', async () => {
    const two = { one: { access_token: 'a' }, two: { access_token: 'b' } }
    expect(await outcomes(json(two))).toEqual(['provider_unavailable', 'provider_unavailable'])
  })
})

describe('a refusal', () => {
  test.each<[string, Answer, string, string?]>([
    ['the standard', json({ error: 'invalid_grant' }, 400), 'invalid_grant'],
    ['GitHub, of a refresh token', json({ error: 'bad_refresh_token' }), 'invalid_grant'],
    ['GitHub, of a code', json({ error: 'bad_verification_code' }), 'invalid_grant'],
    ['Slack', json({ ok: false, error: 'invalid_refresh_token' }), 'invalid_grant'],
    ['HubSpot', json({ status: 'BAD_REFRESH_TOKEN' }, 400), 'invalid_grant'],
    [
      'ServiceNow',
      json({ error_description: 'access_denied', error: 'server_error' }, 401),
      'invalid_grant',
      'access_denied',
    ],
    ['Entra', json({ error: 'interaction_required' }, 400), 'invalid_grant', 'access_denied'],
    ['LinkedIn', json({ error: 'invalid_request' }, 400), 'invalid_grant', 'access_denied'],
    ['401', json({ error: 'invalid_token' }, 401), 'invalid_grant', 'access_denied'],
    ['the standard, of this server', json({ error: 'invalid_client' }, 401), 'invalid_client'],
    ['of its right', json({ error: 'unauthorized_client' }, 400), 'invalid_client'],
    ['GitHub, of its secret', json({ error: 'incorrect_client_credentials' }), 'invalid_client'],
    ['Slack, of its secret', json({ ok: false, error: 'bad_client_secret' }), 'invalid_client'],
    ['Slack, of its id', json({ ok: false, error: 'invalid_client_id' }), 'invalid_client'],
    ['a challenge', text('', 401, 'text/plain', { 'www-authenticate': 'Basic' }), 'invalid_client'],
    ['408', text('', 408), 'provider_unavailable'],
    ['429', json({ error: 'invalid_grant' }, 429), 'provider_unavailable'],
    ['503', text('', 503), 'provider_unavailable'],
    ['a page', text('<h1>Welcome</h1>', 200), 'provider_unavailable'],
    ['a temporary error', json({ error: 'temporarily_unavailable' }, 400), 'provider_unavailable'],
    ['Slack, too often', json({ ok: false, error: 'ratelimited' }), 'provider_unavailable'],
    ['an error as an object in 200', json({ error: { code: 'x', message: 'y' } }), 'invalid_grant'],
    ['an error beside tokens', json({ ...TOKENS, error: 'invalid_grant' }), 'invalid_grant'],
    ['a nested error', json({ data: null, error: { type: 'expired' } }), 'invalid_grant'],
    ['a page with 400', text('<h1>Bad Request</h1>', 400), 'invalid_grant'],
    ['204', (res) => res.writeHead(204).end(), 'provider_unavailable'],
    ['301', text('', 301, 'text/html', { location: '/else' }), 'provider_unavailable'],
    ['307', text('', 307, 'text/html', { location: '/else' }), 'provider_unavailable'],
    ['308', text('', 308, 'text/html', { location: '/else' }), 'provider_unavailable'],
    ['529', text('', 529), 'provider_unavailable'],
    ['half of an answer', text(GOOD.slice(0, 20), 200, 'application/json'), 'provider_unavailable'],
    ['XML', text('<token>new</token>', 200, 'application/xml'), 'provider_unavailable'],
    ['a number', json(7), 'provider_unavailable'],
    ['a list', json([TOKENS]), 'provider_unavailable'],
    ['text', json('new'), 'provider_unavailable'],
    ['invalid gzip', text(GOOD, 200, 'application/json', GZIP), 'provider_unavailable'],
    [
      'megabytes',
      text(' '.repeat(3 * 1024 * 1024), 200, 'application/json'),
      'provider_unavailable',
    ],
  ])('as %s', async (_kind, answer, refresh, exchange = refresh) => {
    expect(await outcomes(answer)).toEqual([refresh, exchange])
  })
})

test.each([
  ['null', null],
  ['nothing', undefined],
  ['garbage', 'not.a.token'],
  ['text of another type', 7],
])('an ID token that is %s is refused', async (_what, id_token) => {
  const fake = await startProvider()
  fake.paths['/token'] = json({ ...TOKENS, id_token })
  const exchange = byIssuer(fake).exchange(CALLBACK, REDIRECT_URI, CHECK)
  await expect(exchange).rejects.toMatchObject({ name: 'ProviderError' })
})

test('an ID token that is nested is checked like any other', async () => {
  const fake = await startProvider()
  const nested = (claims: object) => json({ data: { ...TOKENS, id_token: fake.sign(claims) } })
  const exchange = () => byIssuer(fake).exchange(CALLBACK, REDIRECT_URI, CHECK)
  fake.paths['/token'] = nested({ ...fake.claims(), aud: 'another-client' })
  await expect(exchange()).rejects.toMatchObject({ code: 'invalid_response' })
  fake.paths['/token'] = nested(fake.claims())
  expect(await exchange()).toMatchObject({ accessToken: 'new', account: { sub: 'ada' } })
})
