/** `private_key_jwt` of clients with a metadata document (RFC 7523): flows that succeed, and faults. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { createOAuthClient, type Params } from '../support/oauth-client.ts'
import { type KeyAlgorithm, startSigningClient } from '../support/signing-client.ts'
import { start } from './authorization-apps.ts'

const METHODS = 'token_endpoint_auth_methods_supported'
type Document = Parameters<typeof startSigningClient>[0]

async function setUp(document?: Document, alg?: KeyAlgorithm) {
  const signer = await startSigningClient(document, alg)
  onTestFinished(() => signer.host.close())
  const app = await start({ documentCa: signer.host.ca })
  const client = await createOAuthClient(app.url, { known: { client_id: signer.id } })
  return { app, signer, client }
}

/** ChatGPT's documents, as they were published in 2026. */
const FORMS: readonly (readonly [string, Record<string, unknown>])[] = [
  ['private_key_jwt alone', {}],
  ['none and private_key_jwt', { [METHODS]: ['none', 'private_key_jwt'] }],
  ['private_key_jwt and none', { [METHODS]: ['private_key_jwt', 'none'] }],
  [
    'none, and lists both',
    { token_endpoint_auth_method: 'none', [METHODS]: ['none', 'private_key_jwt'] },
  ],
]

describe.each(FORMS)('a document that names %s', (_what, more) => {
  test.each([
    ['the issuer', (url: string) => url],
    ['the token endpoint', (url: string) => `${url}/token`],
  ])('gets tokens by assertions for %s, and refreshes and revokes them', async (_aud, audience) => {
    const { app, signer, client } = await setUp(() => more)
    const signed = (params?: Params) =>
      signer.signed(audience(app.url)).then((assertion) => ({ ...assertion, ...params }))
    const tokens = await client.exchange(await client.authorize(), await signed())
    expect(tokens).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
    // RFC 7521, 4.2: the assertion names the client.
    const refreshed = await client.refresh(
      String(tokens.body.refresh_token),
      await signed({ client_id: undefined }),
    )
    expect(refreshed).toMatchObject({ status: 200 })
    const token = String(refreshed.body.access_token)
    expect(await client.introspect(token, await signed())).toMatchObject({ body: { active: true } })
    expect(await client.revoke(token, await signed())).toMatchObject({ status: 200 })
    expect([signer.requestCount('/client.json'), signer.requestCount('/jwks.json')]).toEqual([1, 1])
  })
})

describe('without an assertion', () => {
  test.each(FORMS.slice(1))(
    'a document that names %s makes a public client',
    async (_what, more) => {
      const { client, signer } = await setUp(() => more)
      const tokens = await client.connect()
      expect(await client.refresh(tokens.refresh_token)).toMatchObject({ status: 200 })
      expect(signer.requestCount('/jwks.json')).toBe(0)
    },
  )

  test('a document that names only private_key_jwt, and has keys, is refused', async () => {
    const { client, signer, app } = await setUp()
    const authorization = await client.authorize()
    const refused = await client.exchange(authorization)
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    // Its code is still valid.
    const params = await signer.signed(app.url)
    expect(await client.exchange(authorization, params)).toMatchObject({ status: 200 })
  })

  test.each([
    ['no keys', { jwks_uri: undefined }],
    ['a symmetric key alone', { jwks_uri: undefined, jwks: { keys: [{ kty: 'oct', k: 'x' }] } }],
  ])('a document with %s makes a public client', async (_what, more) => {
    const { client } = await setUp(() => more)
    expect(await client.connect()).toMatchObject({ token_type: 'Bearer' })
  })
})

test.each(['PS256', 'ES256', 'ES384', 'EdDSA'] as const)('signs with %s', async (alg) => {
  const { client, signer, app } = await setUp(undefined, alg)
  const params = await signer.signed(app.url)
  expect(await client.exchange(await client.authorize(), params)).toMatchObject({ status: 200 })
})

test('keys in the document itself need no request', async () => {
  const { client, signer, app } = await setUp((_url, keys) => ({
    jwks_uri: undefined,
    jwks: { keys },
  }))
  const typ = 'application/Client-Authentication+JWT'
  const params = await signer.signed(app.url, {}, { typ })
  expect(await client.exchange(await client.authorize(), params)).toMatchObject({ status: 200 })
  expect(signer.requestCount('/jwks.json')).toBe(0)
})

test('invented key ids cause one request a minute to the host at most', async () => {
  const { client, signer, app } = await setUp()
  const authorization = await client.authorize()
  for (const kid of ['a', 'b', 'c', 'd']) {
    const refused = await client.exchange(authorization, await signer.signed(app.url, {}, { kid }))
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  }
  expect(signer.requestCount('/jwks.json')).toBe(1)
})

test('an unavailable host is 503, and the client keeps its tokens', async () => {
  const { client, signer, app } = await setUp()
  const first = await client.exchange(await client.authorize(), await signer.signed(app.url))
  const token = String(first.body.refresh_token)
  await app.store.delete(`client-keys:{${sha256(`${signer.host.origin}/jwks.json`)}}`)
  const keys = signer.published
  signer.published = undefined
  const refused = await client.refresh(token, await signer.signed(app.url))
  expect(refused).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
  expect(refused.headers.get('retry-after')).not.toBeNull()
  await app.store.delete(`client-keys:{${sha256(`${signer.host.origin}/jwks.json`)}}`)
  signer.published = keys
  const refreshed = await client.refresh(token, await signer.signed(app.url))
  expect(refreshed).toMatchObject({ status: 200 })
})

test('is advertised with its algorithms', async () => {
  const { app } = await setUp()
  const response = await fetch(`${app.url}/.well-known/oauth-authorization-server`)
  const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']
  expect(await response.json()).toMatchObject({
    token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
  })
})
