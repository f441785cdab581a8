/** Token responses of real providers: deviations of success and error responses. */

import { describe, expect, test } from 'vitest'
import type { Credentials } from '../../src/upstream/identity-provider.ts'
import {
  byEndpoints,
  byIssuer,
  CALLBACK,
  CHECK,
  REDIRECT_URI,
  startProvider,
} from './fake-provider.ts'
import { type Answer, json } from './misbehaving-server.ts'

const OLD: Credentials = { accessToken: 'secret-old', refreshToken: 'secret-r', scope: 'read' }

/** A response of any type and status. */
function text(body: string, status: number, type = 'text/html', more = {}): Answer {
  return (res) => res.writeHead(status, { 'content-type': type, ...more }).end(body)
}

const FORM = 'application/x-www-form-urlencoded'

/** A provider by issuer and one by endpoints, which answer the same at `/token`. */
async function providers(answer: Answer) {
  const fake = await startProvider()
  fake.paths['/token'] = answer
  return { fake, both: [byIssuer(fake), byEndpoints(fake)] as const }
}

describe('a refresh', () => {
  test.each([
    ['GitHub', json({ error: 'bad_refresh_token', error_description: 'expired' })],
    ['GitHub, as a form', text('error=bad_refresh_token', 200, FORM)],
    ['Slack', json({ ok: false, error: 'invalid_refresh_token' })],
    ['an unspecified provider', json({ ok: false })],
    ['Facebook', json({ error: { code: 190, type: 'OAuthException' } }, 400)],
    ['Facebook, with 200', json({ error: { code: 190 } })],
    ['one with tokens beside it', json({ error: 'expired', access_token: '' })],
    ['HubSpot', json({ status: 'BAD_REFRESH_TOKEN', message: 'unknown' }, 400)],
    ['LinkedIn', json({ error: 'invalid_request' }, 400)],
    ['Entra', json({ error: 'interaction_required', claims: '{}' }, 400)],
    ['Auth0', json({ error: 'invalid_grant' }, 403)],
    ['an empty 400', text('', 400)],
    ['an empty 401', text('', 401)],
    ['HTML with 403', text('<h1>Forbidden</h1>', 403)],
    ['a list with 400', json(['invalid_grant'], 400)],
    ['broken JSON with 400', text('{"error', 400, 'application/json')],
    ['a bearer challenge', json({}, 401, { 'www-authenticate': 'Bearer error="invalid_token"' })],
    ['410', text('gone', 410, 'text/plain')],
    [
      'invalid_grant with a challenge',
      json({ error: 'invalid_grant' }, 401, { 'www-authenticate': 'Basic' }),
    ],
    ['201 with an error', json({ error: 'token_expired' }, 201)],
    ['an error that is no word', json({ error: 'The token secret-r is <gone>' }, 400)],
  ] as [string, Answer][])(
    'that is refused like %s means signing in again',
    async (_who, answer) => {
      const { fake, both } = await providers(answer)
      for (const provider of both) {
        const error = await provider.refresh(OLD).catch((reason: unknown) => reason)
        expect(error).toMatchObject({ name: 'ProviderError', code: 'invalid_grant' })
        expect(String((error as Error).cause)).not.toContain('secret')
      }
      expect(fake.count('/token')).toBe(2)
    },
  )

  test.each([
    ['500', json({ error: 'invalid_grant' }, 500)],
    ['502 of a proxy', text('<h1>Bad Gateway</h1>', 502)],
    ['503', text('', 503)],
    ['408', text('', 408)],
    ['425', json({ error: 'too_early' }, 425)],
    ['429', text('slow down', 429)],
    ['429 with JSON', json({ error: 'invalid_grant' }, 429)],
    ['Slack, too often', json({ ok: false, error: 'ratelimited' })],
    ['Slack, broken', json({ ok: false, error: 'fatal_error' })],
    ['a temporary 400', json({ error: 'temporarily_unavailable' }, 400)],
    ['a page instead of an answer', text('<h1>Welcome</h1>', 200)],
    ['nothing', text('', 200)],
    ['204', (res) => res.writeHead(204).end()],
    ['a redirect', (res) => res.writeHead(302, { location: '/' }).end()],
    ['304', (res) => res.writeHead(304).end()],
    ['a closed connection', (res) => res.destroy()],
  ] as [string, Answer][])('that gets %s may be retried', async (_what, answer) => {
    const { both } = await providers(answer)
    for (const provider of both) {
      await expect(provider.refresh(OLD)).rejects.toMatchObject({
        code: 'provider_unavailable',
        isUnusable: false,
      })
    }
  })

  test('that is rate-limited has the time to retry', async () => {
    const { both } = await providers(text('', 429, 'text/plain', { 'retry-after': '17' }))
    await expect(both[0].refresh(OLD)).rejects.toMatchObject({ retryAfterSeconds: 17 })
  })

  test.each([
    ['invalid_client', json({ error: 'invalid_client' }, 401)],
    ['invalid_client with 400', json({ error: 'invalid_client' }, 400)],
    ['unauthorized_client', json({ error: 'unauthorized_client' }, 400)],
    ['GitHub', json({ error: 'incorrect_client_credentials' })],
    ['Slack', json({ ok: false, error: 'bad_client_secret' })],
    ['Google', json({ error: 'disabled_client' }, 401)],
    ['a challenge alone', text('', 401, 'text/plain', { 'www-authenticate': 'Basic realm="x"' })],
  ] as [string, Answer][])(
    'that refuses this server (%s) does not end the sign-in',
    async (_who, answer) => {
      const { both } = await providers(answer)
      for (const provider of both) {
        await expect(provider.refresh(OLD)).rejects.toMatchObject({ code: 'invalid_client' })
      }
    },
  )

  test.each([
    ['nothing', {}],
    ['null', { access_token: null, token_type: 'bearer' }],
    ['an empty one', { access_token: '', refresh_token: 'r2' }],
    ['a number', { access_token: 7, token_type: 'bearer' }],
    ['a failure in words of its own', { errcode: 40030, errmsg: 'invalid refresh_token' }],
  ])('with %s as the access token is unusable', async (_what, answer) => {
    const { both } = await providers(json(answer))
    for (const provider of both) {
      await expect(provider.refresh(OLD)).rejects.toMatchObject({
        code: 'provider_unavailable',
        isUnusable: true,
      })
    }
  })

  const soon = expect.any(Number)
  test.each([
    ['no type', {}, {}],
    ['an empty type', { token_type: '' }, {}],
    ['a type in capitals', { token_type: 'BEARER' }, {}],
    ['a user', { token_type: 'user', ok: true }, {}],
    ['a bot', { token_type: 'bot' }, {}],
    ['a type that is a number', { token_type: 1 }, {}],
    ['a lifetime as text', { expires_in: '3600' }, { expiresAt: soon }],
    ['a lifetime of nothing', { expires_in: 0 }, {}],
    ['an invalid lifetime', { expires_in: 'soon' }, {}],
    ['a lifetime of null', { expires_in: null }, {}],
    ['a lifetime below zero', { expires_in: -1 }, {}],
    ['nulls', { refresh_token: null, scope: null, id_token: null, error: null }, {}],
    ['empty texts', { refresh_token: '', scope: '', id_token: '', error: '' }, {}],
    ['other types', { refresh_token: false, scope: 7, id_token: 0 }, {}],
    ['a list of scopes', { scope: ['a', 'b'] }, { scope: 'a b' }],
    ['another refresh token', { refresh_token: 'r2' }, { refreshToken: 'r2' }],
  ] as [string, Record<string, unknown>, object][])(
    'with %s is accepted',
    async (_what, more, expected) => {
      const { both } = await providers(json({ access_token: 'new', ...more }))
      for (const provider of both) {
        expect(await provider.refresh(OLD)).toEqual({ ...OLD, accessToken: 'new', ...expected })
      }
    },
  )

  test.each([
    ['as a form', text('access_token=new&token_type=bearer&expires_in=60', 200, FORM)],
    ['as text', text('{"access_token":"new","token_type":"bearer"}', 200, 'text/plain')],
    ['with 201', json({ access_token: 'new', token_type: 'bearer' }, 201)],
  ] as [string, Answer][])('with the response %s is accepted', async (_how, answer) => {
    const { both } = await providers(answer)
    for (const provider of both) {
      expect(await provider.refresh(OLD)).toMatchObject({ accessToken: 'new' })
    }
  })

  test('for another kind of token is refused', async () => {
    const { both } = await providers(json({ access_token: 'new', token_type: 'mac' }))
    await expect(both[0].refresh(OLD)).rejects.toMatchObject({ code: 'invalid_response' })
  })
})

describe('a code', () => {
  test.each([
    ['GitHub', json({ error: 'bad_verification_code' }), 'invalid_grant'],
    ['Slack', json({ ok: false, error: 'invalid_code' }), 'invalid_grant'],
    ['GitHub, for the secret', json({ error: 'incorrect_client_credentials' }), 'invalid_client'],
    ['others', json({ error: 'invalid_request' }, 400), 'access_denied'],
    ['408', text('', 408), 'provider_unavailable'],
  ] as [string, Answer, string][])('that is refused like %s', async (_who, answer, code) => {
    const { both } = await providers(answer)
    for (const provider of both) {
      const exchange = provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
      await expect(exchange).rejects.toMatchObject({ code })
    }
  })
})
