/** Client authentication at the token endpoint of a real server: each method, without leaks. */

import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createOpenIdProvider,
  type OpenIdProviderOptions,
} from '../../src/upstream/openid-client.ts'
import { createTlsFetch } from '../../src/upstream/outgoing.ts'
import { keyPair } from '../support/key-pair.ts'
import {
  byEndpoints,
  byIssuer,
  CALLBACK,
  CHECK,
  REDIRECT_URI,
  startProvider,
} from './fake-provider.ts'

/** The request of a client that exchanges a code, as the token endpoint receives it. */
async function seenOf(more: Partial<OpenIdProviderOptions>, by = byIssuer) {
  const fake = await startProvider()
  await by(fake, more).exchange(CALLBACK, REDIRECT_URI, CHECK)
  const request = fake.seen.find(({ url }) => url === '/token')
  const body = new URLSearchParams(request?.body)
  const [, basic] = /^Basic (.+)$/.exec(request?.headers.authorization ?? '') ?? []
  return { fake, body, basic: basic && Buffer.from(basic, 'base64').toString() }
}

describe('a secret', () => {
  const client = { clientId: 'my-app.v1_x', clientSecret: 's~:+%é *' }

  test('is form-encoded by `basic`; characters that forms do not encode stay unchanged', async () => {
    const { basic, body } = await seenOf({ ...client, clientAuth: 'basic' }, byEndpoints)
    expect(basic).toBe('my-app.v1_x:s%7E%3A%2B%25%C3%A9+*')
    expect(body.has('client_secret')).toBe(false)
  })

  test('is unchanged with `basic-raw`', async () => {
    const { basic } = await seenOf({ ...client, clientAuth: 'basic-raw' }, byEndpoints)
    expect(basic).toBe('my-app.v1_x:s~:+%é *')
  })

  test('is in the form with `post`', async () => {
    const { basic, body } = await seenOf({ ...client, clientAuth: 'post' }, byEndpoints)
    expect(basic).toBeUndefined()
    expect(Object.fromEntries(body)).toMatchObject({ client_secret: client.clientSecret })
  })

  test('is not sent with `none`', async () => {
    const { basic, body } = await seenOf({ ...client, clientAuth: 'none' }, byEndpoints)
    expect([basic, body.get('client_secret'), body.get('client_id')]).toEqual([
      ...[undefined, null],
      client.clientId,
    ])
  })
})

describe('an assertion', () => {
  test.each([
    ['rsa:2048', 'RS256'],
    ['rsa:2048', 'PS256'],
    ['ec', 'ES256'],
    ['ed25519', 'EdDSA'],
  ] as const)('is signed by a key of %s as %s, for the issuer', async (kind, algorithm) => {
    const { key, certificate } = keyPair(kind)
    const clientKey = { key, algorithm }
    const auth = { clientAuth: 'private_key_jwt', clientKey, clientKeyId: 'k1' } as const
    const { fake, body, basic } = await seenOf({ ...auth, clientCertificate: certificate })
    const assertion = body.get('client_assertion') ?? ''
    const { payload, protectedHeader } = await jwtVerify(assertion, createPublicKey(key))
    expect(payload).toMatchObject({ iss: 'client-1', sub: 'client-1', aud: fake.origin })
    expect([typeof payload.jti, typeof payload.exp, basic]).toEqual(['string', 'number', undefined])
    const raw = new X509Certificate(certificate).raw
    expect(protectedHeader).toMatchObject({
      kid: 'k1',
      'x5t#S256': createHash('sha256').update(raw).digest('base64url'),
    })
  })

  test('is for the token endpoint if no issuer is known, and new each time', async () => {
    const clientKey = { key: keyPair().key, algorithm: 'ES256' }
    const fake = await startProvider()
    const provider = byEndpoints(fake, { clientAuth: 'private_key_jwt', clientKey })
    await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    await provider.refresh({ accessToken: 'a', refreshToken: 'r' })
    const assertions = fake.seen
      .filter(({ url }) => url === '/token')
      .map(({ body }) => new URLSearchParams(body).get('client_assertion') ?? '')
    const checked = assertions.map((each) => jwtVerify(each, createPublicKey(clientKey.key)))
    const payloads = (await Promise.all(checked)).map(({ payload }) => payload)
    expect(new Set(payloads.map(({ aud }) => aud))).toEqual(new Set([`${fake.origin}/token`]))
    expect(new Set(payloads.map(({ jti }) => jti)).size).toBe(2)
    expect(decodeProtectedHeader(assertions[0] ?? '')).not.toHaveProperty('kid')
  })
})

test('a certificate is sent in the TLS handshake, and no secret', async () => {
  const ours = keyPair()
  const theirs = keyPair()
  const seen: { body: string; authorized: boolean; authorization: string | undefined }[] = []
  const key = theirs.key.export({ type: 'pkcs8', format: 'pem' })
  const options = { key, cert: theirs.certificate, ca: ours.certificate, requestCert: true }
  const server = createServer(options, async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const { authorized } = req.socket as TLSSocket
    const { authorization } = req.headers
    seen.push({ body: Buffer.concat(chunks).toString(), authorized, authorization })
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ access_token: 'a', token_type: 'bearer' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = createOpenIdProvider(
    {
      ...{ authorizationEndpoint: `${origin}/authorize`, tokenEndpoint: `${origin}/token` },
      ...{ clientId: 'client-1', clientAuth: 'tls', scopes: [] },
    },
    { fetch: createTlsFetch({ ...ours, ca: theirs.certificate }), now: Date.now },
  )
  const credentials = await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
  expect(credentials.accessToken).toBe('a')
  expect(seen).toMatchObject([{ authorized: true, authorization: undefined }])
  expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toMatchObject({
    client_id: 'client-1',
  })
  expect(seen[0]?.body).not.toContain('client_secret')
})

describe('parameters', () => {
  const offline = { scopes: ['offline_access'] }

  test.each([
    [{}, 'consent'],
    [{ prompt: 'select_account' }, 'select_account'],
    [{ prompt: '' }, null],
  ])('of the operator %j override the default of `prompt`', async (parameters, prompt) => {
    const more = { ...offline, authorizationParameters: parameters }
    const url = await byIssuer(await startProvider(), more).authorizationUrl(REDIRECT_URI, CHECK)
    expect(url.searchParams.get('prompt')).toBe(prompt)
    expect(url.searchParams.getAll('prompt')).toHaveLength(prompt === null ? 0 : 1)
  })

  test('are sent with codes and refresh tokens', async () => {
    const fake = await startProvider()
    const tokenParameters = { audience: 'https://api.example', resource: '' }
    const provider = byIssuer(fake, { tokenParameters })
    await provider.exchange(CALLBACK, REDIRECT_URI, CHECK)
    fake.paths['/token'] = (res) => res.end(JSON.stringify(fake.tokens()))
    await provider.refresh({ accessToken: 'a', refreshToken: 'r' })
    const bodies = fake.seen
      .filter(({ url }) => url === '/token')
      .map(({ body }) => new URLSearchParams(body))
    expect(bodies.map((body) => body.get('audience'))).toEqual([
      ...['https://api.example', 'https://api.example'],
    ])
    expect(bodies.some((body) => body.has('resource'))).toBe(false)
  })
})
