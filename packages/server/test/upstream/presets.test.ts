/** Deviations of the presets' providers, simulated on loopback: sign-in, refresh and refusal. */

import { createPublicKey } from 'node:crypto'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import type { ConfiguredUpstream } from '../../src/config.ts'
import { providerOptions } from '../../src/runtime/upstream-parts.ts'
import { createOpenIdProvider } from '../../src/upstream/openid-client.ts'
import { load } from '../config/load.ts'
import { keyPair } from '../support/key-pair.ts'
import { CALLBACK, CHECK, metadata, REDIRECT_URI, startProvider } from './fake-provider.ts'
import { type Answer, json } from './misbehaving-server.ts'

const ISSUER_PATHS: Readonly<Record<string, string>> = {
  ...{ google: '', gitlab: '', auth0: '/', entra: '/tenant/v2.0' },
  ...{ okta: '/oauth2/default', keycloak: '/realms/staff' },
}

/** The provider of a preset, with a fake instead of the real one. */
async function startPreset(UPSTREAM_PRESET: string, more: Record<string, string> = {}) {
  const fake = await startProvider()
  const path = ISSUER_PATHS[UPSTREAM_PRESET]
  const issuer = fake.origin + (path ?? '')
  const where: Record<string, string> =
    path === undefined
      ? {
          UPSTREAM_AUTHORIZATION_ENDPOINT: `${fake.origin}/authorize`,
          UPSTREAM_TOKEN_ENDPOINT: `${fake.origin}/token`,
          ...(UPSTREAM_PRESET !== 'slack' && { UPSTREAM_USERINFO_ENDPOINT: `${fake.origin}/me` }),
        }
      : { UPSTREAM_ISSUER: issuer }
  const base = issuer.replace(/\/$/, '')
  fake.paths[`${base.slice(fake.origin.length)}/.well-known/openid-configuration`] = json({
    ...metadata(fake.origin),
    issuer,
  })
  const { config, secrets } = load({
    ...{ UPSTREAM_PRESET, UPSTREAM_CLIENT_ID: 'client-1', UPSTREAM_API_URL: fake.origin },
    ...(more.UPSTREAM_CLIENT_KEY === undefined && { UPSTREAM_CLIENT_SECRET: 's' }),
    ...where,
    ...more,
  })
  const facts = config.upstream as ConfiguredUpstream
  const provider = createOpenIdProvider(
    { ...providerOptions(facts, secrets), allowInsecureHttp: true },
    { fetch, now: Date.now },
  )
  const tokens = { access_token: 'a', refresh_token: 'r', expires_in: 7200, token_type: 'Bearer' }
  const idToken = () => fake.sign({ ...fake.claims(), iss: issuer })
  const tokenRequests = () => fake.seen.filter(({ url }) => url === '/token')
  return { fake, provider, tokens, idToken, tokenRequests }
}

const OLD = { accessToken: 'old', refreshToken: 'r' }

describe.each(Object.keys(ISSUER_PATHS))('%s', (preset) => {
  test('signs in by its metadata, and an invalid refresh token requires a sign-in', async () => {
    const { fake, provider, tokens, idToken } = await startPreset(preset)
    fake.paths['/token'] = (res, req, index) =>
      json({ ...tokens, id_token: idToken() })(res, req, index)
    const credentials = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(credentials).toMatchObject({ refreshToken: 'r', account: { sub: 'ada' } })
    for (const status of [400, 403]) {
      fake.paths['/token'] = json({ error: 'invalid_grant' }, status)
      await expect(provider.refresh(OLD)).rejects.toMatchObject({ code: 'invalid_grant' })
    }
  })
})

async function parametersOf(preset: string, more?: Record<string, string>) {
  const { provider } = await startPreset(preset, more)
  const url = await provider.authorizationUrl(REDIRECT_URI, CHECK)
  return url.searchParams
}

test.each([
  ['google', { access_type: 'offline', prompt: 'consent', scope: 'openid email profile' }],
  ['entra', { prompt: 'consent', scope: 'openid profile email offline_access' }],
  ['keycloak', { prompt: null, scope: 'openid profile email' }],
  ['gitlab', { prompt: null, scope: 'openid profile email read_api' }],
  ['github', { prompt: null, scope: null }],
  ['slack', { prompt: null, scope: null }],
  [
    'atlassian',
    { audience: 'api.atlassian.com', prompt: 'consent', scope: 'read:me offline_access' },
  ],
] as const)('%s gets a request with %j', async (preset, expected) => {
  const sent = await parametersOf(preset)
  for (const [name, value] of Object.entries(expected))
    expect([name, sent.get(name)]).toEqual([name, value])
})

test('Slack gets a request for user scopes', async () => {
  const UPSTREAM_AUTHORIZATION_PARAMETERS = 'user_scope=search:read,users:read'
  const sent = await parametersOf('slack', { UPSTREAM_AUTHORIZATION_PARAMETERS })
  expect([sent.get('user_scope'), sent.has('scope')]).toEqual(['search:read,users:read', false])
})

describe('tokens and refusals', () => {
  test('of GitHub: always 200, the account by its id', async () => {
    const { fake, provider, tokenRequests } = await startPreset('github')
    fake.paths['/me'] = json({ id: 42, login: 'ada', email: null })
    fake.paths['/token'] = json({
      ...{ access_token: 'ghu_1', expires_in: 28800, refresh_token: 'ghr_1', scope: '' },
      ...{ refresh_token_expires_in: 15897600, token_type: 'bearer' },
    })
    const credentials = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(credentials).toMatchObject({ accessToken: 'ghu_1', account: { sub: '42', name: 'ada' } })
    expect(new URLSearchParams(tokenRequests()[0]?.body).get('client_secret')).toBe('s')
    expect(tokenRequests()[0]?.headers.accept).toContain('application/json')
    fake.paths['/token'] = json({ error: 'bad_refresh_token' })
    await expect(provider.refresh(OLD)).rejects.toMatchObject({ code: 'invalid_grant' })
    fake.paths['/token'] = json({ error: 'incorrect_client_credentials' })
    await expect(provider.refresh(OLD)).rejects.toMatchObject({ code: 'invalid_client' })
  })

  test('of Slack: nested, of a user, refused with ok: false', async () => {
    const { fake, provider, tokenRequests } = await startPreset('slack')
    const user = { id: 'U1', scope: 'search:read', token_type: 'user', expires_in: 43200 }
    const authed_user = { ...user, access_token: 'xoxe.xoxp-1', refresh_token: 'xoxe-1' }
    fake.paths['/token'] = json({ ok: true, app_id: 'A1', authed_user })
    const credentials = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(credentials).toMatchObject({ accessToken: 'xoxe.xoxp-1', refreshToken: 'xoxe-1' })
    expect(tokenRequests()[0]?.headers.authorization).toMatch(/^Basic /)
    for (const [error, code] of [
      ['invalid_refresh_token', 'invalid_grant'],
      ['bad_client_secret', 'invalid_client'],
      ['ratelimited', 'provider_unavailable'],
    ] as const) {
      fake.paths['/token'] = json({ ok: false, error })
      await expect(provider.refresh(OLD)).rejects.toMatchObject({ code })
    }
  })

  test.each<[string, Answer]>([
    ['403 invalid_grant', json({ error: 'invalid_grant' }, 403)],
    ['unauthorized_client', json({ error: 'unauthorized_client' }, 403)],
  ])('of Atlassian: the response to an invalid refresh token is %s', async (_what, answer) => {
    const { fake, provider, tokens } = await startPreset('atlassian')
    fake.paths['/me'] = json({ account_id: '557058:1', name: 'Ada' })
    fake.paths['/token'] = json({ ...tokens, scope: 'read:me offline_access' })
    const credentials = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(credentials.account).toEqual({ sub: '557058:1', name: 'Ada' })
    fake.paths['/token'] = answer
    await expect(provider.refresh(OLD)).rejects.toMatchObject({ code: 'invalid_grant' })
    // A code that is refused like this is still a fault of the operator.
    fake.paths['/token'] = json({ error: 'unauthorized_client' }, 403)
    const exchange = provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    await expect(exchange).rejects.toMatchObject({ code: 'invalid_client' })
  })

  test('of Entra: an assertion for the token endpoint with PS256 and the certificate', async () => {
    const { key, certificate } = keyPair('rsa:2048')
    const { fake, provider, tokens, idToken, tokenRequests } = await startPreset('entra', {
      UPSTREAM_CLIENT_AUTH: 'private_key_jwt',
      UPSTREAM_CLIENT_KEY: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      UPSTREAM_CLIENT_CERT: certificate,
    })
    fake.paths['/token'] = (res, req, index) =>
      json({ ...tokens, id_token: idToken() })(res, req, index)
    await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    const assertion = new URLSearchParams(tokenRequests()[0]?.body).get('client_assertion') ?? ''
    const { payload } = await jwtVerify(assertion, createPublicKey(key))
    expect(payload.aud).toBe(`${fake.origin}/token`)
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'PS256', typ: 'JWT' })
  })

  test('of GitLab: a token without a lifetime is used until it is refused', async () => {
    const { fake, provider, tokens, idToken } = await startPreset('gitlab')
    const { expires_in: _, ...rest } = tokens
    fake.paths['/token'] = (res, req, index) =>
      json({ ...rest, id_token: idToken() })(res, req, index)
    const credentials = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(credentials).not.toHaveProperty('expiresAt')
  })
})
