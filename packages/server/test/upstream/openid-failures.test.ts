/** Failing and malicious providers: typed errors, in time, without secrets. */

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ProviderError } from '../../src/upstream/identity-provider.ts'
import {
  byEndpoints,
  byIssuer,
  CALLBACK,
  CHECK,
  type FakeProvider,
  metadata,
  REDIRECT_URI,
  startProvider,
} from './fake-provider.ts'
import { type Answer, json } from './misbehaving-server.ts'

const garbage: Answer = (res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<canary>')
const brokenJson: Answer = (res) =>
  res.writeHead(200, { 'content-type': 'application/json' }).end('{"canary')
const endless: Answer = (res) => {
  res.writeHead(200, { 'content-type': 'application/json' })
  const push = () => {
    while (!res.destroyed && res.write(' '.repeat(65_536)));
    if (!res.destroyed) res.once('drain', push)
  }
  push()
}
const hang: Answer = () => {}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('succeeded'),
    (reason) => reason,
  )
  if (!(error instanceof ProviderError)) throw error
  expect(inspect(error, { depth: 9 })).not.toMatch(/secret|canary|code-1|state-1/)
  return error.code
}

const exchange = (fake: FakeProvider) => byIssuer(fake).exchange(CALLBACK, REDIRECT_URI, CHECK)
const refresh = (fake: FakeProvider) =>
  byIssuer(fake).refresh({ accessToken: 'secret-old', refreshToken: 'secret-r' })

describe('discovery', () => {
  test('that fails is retried by the next call', async () => {
    const fake = await startProvider()
    const path = '/.well-known/openid-configuration'
    const good = fake.paths[path] ?? hang
    const provider = byIssuer(fake)
    for (const bad of [json({}, 503), garbage, brokenJson, json({ issuer: fake.origin })]) {
      fake.paths[path] = bad
      const code = await codeOf(provider.authorizationUrl(REDIRECT_URI, CHECK))
      expect(code).toBe('provider_unavailable')
    }
    fake.paths[path] = good
    const url = await provider.authorizationUrl(REDIRECT_URI, CHECK)
    expect(url.origin).toBe(fake.origin)
  })

  test('that names another issuer is refused', async () => {
    const fake = await startProvider()
    const answer = { ...metadata(fake.origin), issuer: 'https://evil.example' }
    fake.paths['/.well-known/openid-configuration'] = json(answer)
    const code = await codeOf(byIssuer(fake).authorizationUrl(REDIRECT_URI, CHECK))
    expect(code).toBe('invalid_response')
  })

  test('of an issuer with one slash more or less at its end is the same', async () => {
    const fake = await startProvider()
    const at = (path: string) => `${fake.origin}/realms/a${path}`
    for (const [given, named] of [
      ['/', ''],
      ['', '/'],
    ] as const) {
      const answer = { ...metadata(fake.origin), issuer: at(named) }
      fake.paths['/realms/a/.well-known/openid-configuration'] = json(answer)
      const id_token = fake.sign({ ...fake.claims(), iss: at(named) })
      fake.paths['/token'] = json(fake.tokens({ id_token }))
      const provider = byIssuer(fake, { issuer: at(given) })
      const { account } = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
      expect(account?.sub).toBe('ada')
    }
  })

  test('that is redirected is not followed', async () => {
    const fake = await startProvider()
    fake.paths['/.well-known/openid-configuration'] = (res) =>
      res.writeHead(302, { location: '/elsewhere' }).end()
    const code = await codeOf(byIssuer(fake).authorizationUrl(REDIRECT_URI, CHECK))
    expect(code).toBe('provider_unavailable')
    expect(fake.count('/elsewhere')).toBe(0)
  })
})

test('an unavailable provider is provider_unavailable', async () => {
  const fake = await startProvider()
  await fake.close()
  expect(await codeOf(exchange(fake))).toBe('provider_unavailable')
  expect(await codeOf(refresh(fake))).toBe('provider_unavailable')
})

test.each(['/.well-known/openid-configuration', '/token', '/jwks'])(
  'a provider that hangs at %s times out',
  async (path) => {
    const fake = await startProvider()
    fake.paths[path] = hang
    const start = Date.now()
    const provider = byIssuer(fake, { timeoutMs: 300 })
    expect(await codeOf(provider.exchange(CALLBACK, REDIRECT_URI, CHECK))).toBe(
      'provider_unavailable',
    )
    // The provider never answers.
    expect(Date.now() - start).toBeLessThan(10_000)
  },
)

test.each([
  ['garbage', garbage],
  ['broken JSON', brokenJson],
  ['an endless answer', endless],
  ['JSON without tokens', json({ canary: 1 })],
  ['a list', json(['canary'])],
  ['500', json({ canary: 1 }, 500)],
  ['500 with an OAuth error', json({ error: 'server_error' }, 500)],
  ['429', json({ error: 'slow_down' }, 429)],
  ['a redirect', ((res) => res.writeHead(302, { location: '/' }).end()) as Answer],
])('a token endpoint that answers %s is provider_unavailable', async (_, answer) => {
  const fake = await startProvider()
  fake.paths['/token'] = answer
  expect(await codeOf(exchange(fake))).toBe('provider_unavailable')
  expect(await codeOf(refresh(fake))).toBe('provider_unavailable')
})

test.each([
  ['invalid_grant', json({ error: 'invalid_grant', error_description: 'canary' }, 400)],
  ['invalid_client', json({ error: 'invalid_client' }, 401)],
  ['invalid_client', json({ error: 'invalid_client' }, 401, { 'www-authenticate': 'Basic' })],
  ['invalid_client', json({ error: 'unauthorized_client' }, 400)],
])('a token endpoint that refuses is %s', async (code, answer) => {
  const fake = await startProvider()
  fake.paths['/token'] = answer
  expect(await codeOf(exchange(fake))).toBe(code)
  expect(await codeOf(refresh(fake))).toBe(code)
})

test.each([
  ['access_denied', 'access_denied'],
  ['login_required', 'access_denied'],
  ['invalid_scope', 'access_denied'],
  ['unauthorized_client', 'invalid_client'],
  ['redirect_uri_mismatch', 'invalid_client'],
  ['temporarily_unavailable', 'provider_unavailable'],
])('a callback with the error %s is %s, without a token request', async (error, code) => {
  const fake = await startProvider()
  const url = new URL(`${REDIRECT_URI}?state=state-1&error=${error}&error_description=canary`)
  expect(await codeOf(byIssuer(fake).exchange(url, REDIRECT_URI, CHECK))).toBe(code)
  expect(fake.count('/token')).toBe(0)
})

test.each([
  'code=code-1',
  'code=code-1&state=other',
  'code=code-1&state=state-1&state=state-1',
  'code=code-1&state=state-1&iss=https%3A%2F%2Fevil.example',
  'error=access_denied&state=other',
  'state=state-1',
])('a callback with %s is refused without a token request', async (query) => {
  const fake = await startProvider()
  const url = new URL(`${REDIRECT_URI}?${query}`)
  expect(await codeOf(byIssuer(fake).exchange(url, REDIRECT_URI, CHECK))).toBe('invalid_response')
  expect(fake.count('/token')).toBe(0)
})

test.each([
  ['nonce', 'other'],
  ['nonce', undefined],
  ['iss', 'https://evil.example'],
  ['aud', 'another-client'],
  ['exp', 1],
])('an ID token whose %s is %s is refused', async (claim, value) => {
  const fake = await startProvider()
  const id_token = fake.sign({ ...fake.claims(), [claim]: value })
  fake.paths['/token'] = json(fake.tokens({ id_token }))
  expect(await codeOf(exchange(fake))).toBe('invalid_response')
})

test.each(['key-1', 'unknown'])(
  'an ID token signed with another key as %s is refused',
  async (kid) => {
    const fake = await startProvider()
    const other = await startProvider()
    other.rotateKeys(kid)
    fake.paths['/token'] = json(fake.tokens({ id_token: other.sign(fake.claims()) }))
    expect(await codeOf(exchange(fake))).toBe('invalid_response')
  },
)

test('a token answer without an ID token is not a sign-in', async () => {
  const fake = await startProvider()
  fake.paths['/token'] = json(fake.tokens())
  expect(await codeOf(exchange(fake))).toBe('provider_unavailable')
})

test('a provider by endpoints checks the state as well', async () => {
  const fake = await startProvider()
  const url = new URL(`${REDIRECT_URI}?code=code-1&state=other`)
  expect(await codeOf(byEndpoints(fake).exchange(url, REDIRECT_URI, CHECK))).toBe(
    'invalid_response',
  )
  expect(fake.seen).toHaveLength(0)
})
