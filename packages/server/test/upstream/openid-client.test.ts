/** Sign-in at a correct identity provider, configured by issuer or by endpoints. */

import { describe, expect, test } from 'vitest'
import { createOpenIdProvider } from '../../src/upstream/openid-client.ts'
import {
  byEndpoints,
  byIssuer,
  CALLBACK,
  CHECK,
  metadata,
  REDIRECT_URI,
  startProvider,
} from './fake-provider.ts'
import { json } from './misbehaving-server.ts'

const deps = { fetch, now: Date.now }

describe('a provider configured by its issuer', () => {
  test('gets a request with code, PKCE S256, state and nonce', async () => {
    const url = await byIssuer(await startProvider()).authorizationUrl(REDIRECT_URI, CHECK)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'client-1',
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid email',
      state: CHECK.state,
      nonce: CHECK.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
  })

  test('gets a request for consent for offline access, and its own parameters', async () => {
    const more = { scopes: ['offline_access'], authorizationParameters: { access_type: 'offline' } }
    const url = await byIssuer(await startProvider(), more).authorizationUrl(REDIRECT_URI, CHECK)
    expect(url.searchParams.get('prompt')).toBe('consent')
    expect(url.searchParams.get('access_type')).toBe('offline')
  })

  test('returns credentials and the account of the ID token', async () => {
    const fake = await startProvider()
    const before = Date.now()
    const credentials = await byIssuer(fake).exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(credentials).toEqual({
      accessToken: 'secret-access',
      refreshToken: 'secret-refresh',
      expiresAt: expect.any(Number),
      account: { sub: 'ada', name: 'Ada' },
    })
    expect(credentials.expiresAt).toBeGreaterThanOrEqual(before + 60_000)
    expect(credentials.expiresAt).toBeLessThan(before + 65_000)
    const body = new URLSearchParams(fake.seen.find(({ url }) => url === '/token')?.body)
    expect(body.get('code_verifier')).toBe(CHECK.codeVerifier)
    expect(body.get('redirect_uri')).toBe(REDIRECT_URI)
    expect(body.get('client_id')).toBe('client-1')
  })

  test('is discovered once, on first use', async () => {
    const fake = await startProvider()
    const provider = byIssuer(fake)
    expect(fake.seen).toHaveLength(0)
    await provider.authorizationUrl(REDIRECT_URI, CHECK)
    await provider.authorizationUrl(REDIRECT_URI, CHECK)
    await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(fake.count('/.well-known')).toBe(1)
  })

  test('serves several concurrent first uses, which load its library', async () => {
    const fake = await startProvider()
    const provider = byIssuer(fake)
    const urls = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        provider.authorizationUrl(REDIRECT_URI, { ...CHECK, state: `state-${index}` }),
      ),
    )
    expect(urls.map((url) => url.searchParams.get('state'))).toEqual(
      urls.map((_, index) => `state-${index}`),
    )
  })

  test('is discovered again after an hour', async () => {
    const fake = await startProvider()
    let now = Date.now()
    const options = { issuer: fake.origin, clientId: 'c', scopes: [], allowInsecureHttp: true }
    const provider = createOpenIdProvider(options, { fetch, now: () => now })
    await provider.authorizationUrl(REDIRECT_URI, CHECK)
    now += 3_600_000
    await provider.authorizationUrl(REDIRECT_URI, CHECK)
    expect(fake.count('/.well-known')).toBe(2)
  })

  test('may rotate its keys between two sign-ins', async () => {
    const fake = await startProvider()
    const provider = byIssuer(fake)
    await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    fake.rotateKeys('key-2')
    const { account } = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(account?.sub).toBe('ada')
  })

  test.each([
    [undefined, 'basic'],
    [['client_secret_post'], 'post'],
    [['client_secret_post', 'client_secret_basic'], 'basic'],
  ])('that accepts the secret by %j gets it by %s', async (methods, expected) => {
    const fake = await startProvider()
    const supported = methods && { token_endpoint_auth_methods_supported: methods }
    fake.paths['/.well-known/openid-configuration'] = json({
      ...metadata(fake.origin),
      ...supported,
    })
    const provider = byIssuer(fake, { clientSecret: 'secret-client' })
    await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    const request = fake.seen.find(({ url }) => url === '/token')
    expect(request?.headers.authorization?.startsWith('Basic ') ?? false).toBe(expected === 'basic')
    expect(request?.body.includes('secret-client')).toBe(expected === 'post')
  })

  test('completes the account by userinfo, for the same subject only', async () => {
    const fake = await startProvider()
    const bare = { ...fake.claims(), name: undefined }
    fake.paths['/token'] = json(fake.tokens({ id_token: fake.sign(bare) }))
    const exchange = async () =>
      (await byIssuer(fake).exchange(CALLBACK, REDIRECT_URI, CHECK)).account
    fake.paths['/me'] = json({ sub: 'ada', email: 'ada@example.com' })
    expect(await exchange()).toEqual({ sub: 'ada', email: 'ada@example.com' })
    fake.paths['/me'] = json({ sub: 'mallory', email: 'm@example.com' })
    expect(await exchange()).toEqual({ sub: 'ada' })
  })

  test('signs in even if its userinfo hangs', async () => {
    const fake = await startProvider()
    const bare = { ...fake.claims(), name: undefined }
    fake.paths['/token'] = json(fake.tokens({ id_token: fake.sign(bare) }))
    fake.paths['/me'] = () => {}
    const { account } = await byIssuer(fake).exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(account).toEqual({ sub: 'ada' })
  })
})

describe('a provider configured by its endpoints', () => {
  test('gets a request without nonce, at the configured endpoint', async () => {
    const url = await byEndpoints(await startProvider()).authorizationUrl(REDIRECT_URI, CHECK)
    expect(url.pathname).toBe('/authorize')
    expect(url.searchParams.get('tenant')).toBe('1')
    expect(url.searchParams.get('scope')).toBe('read write')
    expect(url.searchParams.get('code_challenge_method')).toBe('S256')
    expect(url.searchParams.has('nonce')).toBe(false)
  })

  test('returns credentials, and the account of userinfo', async () => {
    const fake = await startProvider()
    fake.paths['/me'] = json({ id: 42, login: 'ada', email: null })
    fake.paths['/token'] = json(fake.tokens({ id_token: 'not.a.token', scope: 'read' }))
    const callback = new URL(`${CALLBACK}&iss=https%3A%2F%2Fits.example`)
    const credentials = await byEndpoints(fake).exchange(callback, REDIRECT_URI, CHECK)
    expect(credentials).toMatchObject({
      accessToken: 'secret-access',
      scope: 'read',
      account: { sub: '42', name: 'ada' },
    })
  })

  test('requires neither userinfo nor a lifetime nor a refresh token', async () => {
    const fake = await startProvider()
    fake.paths['/token'] = json({ access_token: 'a', token_type: 'bearer' })
    const provider = byEndpoints(fake, { userinfoEndpoint: undefined })
    const credentials = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    expect(credentials).toEqual({ accessToken: 'a' })
  })
})

describe('refreshing', () => {
  const old = { accessToken: 'old', refreshToken: 'r1', scope: 's', account: { sub: 'ada' } }

  test('keeps values that the provider does not repeat', async () => {
    const fake = await startProvider()
    fake.paths['/token'] = json({ access_token: 'new', token_type: 'bearer', expires_in: 60 })
    const fresh = await byIssuer(fake).refresh(old)
    expect(fresh).toEqual({ ...old, accessToken: 'new', expiresAt: expect.any(Number) })
  })

  test('uses rotated values', async () => {
    const fake = await startProvider()
    fake.paths['/token'] = json(fake.tokens({ scope: 't' }))
    const fresh = await byEndpoints(fake).refresh(old)
    expect(fresh).toMatchObject({ refreshToken: 'secret-refresh', scope: 't' })
  })

  test('without a refresh token requires a new sign-in', async () => {
    const fake = await startProvider()
    await expect(byIssuer(fake).refresh({ accessToken: 'a' })).rejects.toMatchObject({
      code: 'invalid_grant',
    })
    expect(fake.seen).toHaveLength(0)
  })

  test("refuses another user's ID token", async () => {
    const fake = await startProvider()
    const id_token = fake.sign({ ...fake.claims(), sub: 'mallory' })
    fake.paths['/token'] = json(fake.tokens({ id_token }))
    await expect(byIssuer(fake).refresh(old)).rejects.toMatchObject({ code: 'invalid_response' })
  })
})

describe('revoking', () => {
  test('revokes the refresh token first, then the access token', async () => {
    const fake = await startProvider()
    fake.paths['/revoke'] = (res) => res.writeHead(200).end()
    await byEndpoints(fake).revoke({ accessToken: 'a', refreshToken: 'r' })
    const bodies = fake.seen.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
    expect(bodies).toMatchObject([
      { token: 'r', token_type_hint: 'refresh_token' },
      { token: 'a', token_type_hint: 'access_token' },
    ])
  })

  test('continues if one is refused, and never throws', async () => {
    const fake = await startProvider()
    fake.paths['/revoke'] = json({ error: 'unsupported_token_type' }, 400)
    await byEndpoints(fake).revoke({ accessToken: 'a', refreshToken: 'r' })
    expect(fake.count('/revoke')).toBe(2)
    await fake.close()
    await byEndpoints(fake).revoke({ accessToken: 'a', refreshToken: 'r' })
  })

  test('does nothing if the provider has no endpoint for it', async () => {
    const fake = await startProvider()
    await byEndpoints(fake, { revocationEndpoint: undefined }).revoke({ accessToken: 'a' })
    expect(fake.seen).toHaveLength(0)
  })
})

test.each([
  ['http://idp.example.com', true],
  ['http://127.0.0.1.example.com', true],
  ['http://127.0.0.2', true],
  ['http://idp.localhost', true],
  ['http://localhost:1', false],
  ['ftp://localhost', true],
])('%s is refused at start (plain http allowed: %s)', (issuer, allowInsecureHttp) => {
  const options = { issuer, clientId: 'c', scopes: [], allowInsecureHttp }
  expect(() => createOpenIdProvider(options, deps)).toThrow(TypeError)
})
