/** The kinds of token answers that providers are known for, at a refresh and for a code, over HTTP. */

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

/** What becomes of a refresh and of a code: tokens, or the code of a ProviderError. */
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
    ['the lifetime as text', json({ ...TOKENS, expires_in: '3600' })],
    ['the lifetime as `expires`', json({ ...TOKENS, expires_in: undefined, expires: 3600 })],
  ])('as %s are taken', async (_kind, answer, more = {}) => {
    const [refreshed, exchanged] = await outcomes(answer)
    const expiresAt = expect.any(Number)
    expect(refreshed).toEqual({ accessToken: 'new', refreshToken: 'next', expiresAt, ...more })
    expect(exchanged).toMatchObject({ accessToken: 'new', expiresAt })
  })

  test('of another token that is nested do not take the place of those on top', async () => {
    const slack = { ok: true, ...TOKENS, token_type: 'bot', authed_user: { access_token: 'other' } }
    expect(await outcomes(json(slack))).toMatchObject([
      { accessToken: 'new' },
      { accessToken: 'new' },
    ])
  })

  test('of which several are nested are not guessed between', async () => {
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
    ['what passes', json({ error: 'temporarily_unavailable' }, 400), 'provider_unavailable'],
    ['Slack, too often', json({ ok: false, error: 'ratelimited' }), 'provider_unavailable'],
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
])('an ID token that is %s signs nobody in', async (_what, id_token) => {
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
