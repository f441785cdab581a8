/** An identity provider whose responses a test can replace; signs real ID tokens. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { onTestFinished } from 'vitest'
import {
  createOpenIdProvider,
  type OpenIdProviderOptions,
} from '../../src/upstream/openid-client.ts'
import { type Answer, json, startServer } from './misbehaving-server.ts'

export const REDIRECT_URI = 'https://mcp.example.com/callback/main'
export const CHECK = { state: 'state-1', nonce: 'nonce-1', codeVerifier: 'v'.repeat(43) }
export const CALLBACK = new URL(`${REDIRECT_URI}?code=code-1&state=state-1`)

/** Responses by path; a test replaces those that it wants to fail. */
export type Paths = Record<string, Answer>

/** Starts the provider; closed after the test, unless the caller keeps it for several. */
export async function startProvider({
  outlivesTest = false,
}: {
  readonly outlivesTest?: boolean
} = {}) {
  const paths: Paths = {}
  const server = await startServer((res, req, index) => {
    const answer = paths[req.url.split('?')[0] ?? '']
    return answer ? answer(res, req, index) : res.writeHead(404).end()
  })
  if (!outlivesTest) onTestFinished(() => server.close())
  const { origin } = server
  let key = newKey('key-1')
  const claims = () => {
    const iat = Math.floor(Date.now() / 1000)
    const who = { sub: 'ada', name: 'Ada', nonce: CHECK.nonce }
    return { iss: origin, aud: 'client-1', iat, exp: iat + 60, ...who }
  }
  const tokens = (more: object = {}) => ({
    access_token: 'secret-access',
    token_type: 'Bearer',
    expires_in: 60,
    refresh_token: 'secret-refresh',
    ...more,
  })
  paths['/.well-known/openid-configuration'] = json(metadata(origin))
  paths['/jwks'] = (res, req, index) => json({ keys: [key.jwk] })(res, req, index)
  paths['/token'] = (res, req, index) =>
    json(tokens({ id_token: key.sign(claims()) }))(res, req, index)
  return {
    origin,
    paths,
    claims,
    tokens,
    sign: (payload: object) => key.sign(payload),
    rotateKeys(kid: string) {
      key = newKey(kid)
    },
    /** The number of requests for a path. */
    count: (path: string) => server.seen.filter(({ url }) => url.startsWith(path)).length,
    seen: server.seen,
    close: () => server.close(),
  }
}

export type FakeProvider = Awaited<ReturnType<typeof startProvider>>

/** Our client of the fake provider, by discovery. */
export function byIssuer({ origin }: FakeProvider, more: Partial<OpenIdProviderOptions> = {}) {
  return createOpenIdProvider(
    { issuer: origin, clientId: 'client-1', scopes: ['email'], allowInsecureHttp: true, ...more },
    { fetch, now: Date.now },
  )
}

/** Our client of the fake provider, by its endpoints. */
export function byEndpoints({ origin }: FakeProvider, more: Partial<OpenIdProviderOptions> = {}) {
  return createOpenIdProvider(
    {
      authorizationEndpoint: `${origin}/authorize?tenant=1`,
      tokenEndpoint: `${origin}/token`,
      revocationEndpoint: `${origin}/revoke`,
      userinfoEndpoint: `${origin}/me`,
      clientId: 'client-1',
      clientSecret: 'secret-client',
      scopes: ['read', 'write'],
      allowInsecureHttp: true,
      ...more,
    },
    { fetch, now: Date.now },
  )
}

export function metadata(origin: string) {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/revoke`,
    userinfo_endpoint: `${origin}/me`,
    jwks_uri: `${origin}/jwks`,
    id_token_signing_alg_values_supported: ['ES256'],
  }
}

function newKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
  return { jwk, sign: (payload: object) => signJwt(privateKey, kid, payload) }
}

function signJwt(key: KeyObject, kid: string, payload: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const input = `${encode({ alg: 'ES256', kid })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
