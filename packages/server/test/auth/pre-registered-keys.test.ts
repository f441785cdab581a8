/** Clients of the configuration that sign assertions (`private_key_jwt`, RFC 7523). */

import { expect, onTestFinished, test } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { createOAuthClient, REDIRECT_URI } from '../support/oauth-client.ts'
import { type SigningClient, startSigningClient } from '../support/signing-client.ts'
import { start } from './authorization-apps.ts'

const ID = 'our-app'
const NAMED = { iss: ID, sub: ID }

async function setUp(keys: (signer: SigningClient) => object, more: object = {}) {
  const signer = await startSigningClient()
  onTestFinished(() => signer.host.close())
  const known = {
    client_id: ID,
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'private_key_jwt',
    ...keys(signer),
    ...more,
  }
  const app = await start({
    env: { OAUTH_CLIENTS: JSON.stringify([known]) },
    documentCa: signer.host.ca,
  })
  const client = await createOAuthClient(app.url, { known: { client_id: ID } })
  return { app, signer, client }
}

const jwks = ({ publicJwk }: SigningClient) => ({ jwks: { keys: [publicJwk] } })
const jwksUri = ({ host }: SigningClient) => ({ jwks_uri: `${host.origin}/jwks.json` })

test.each([
  ['jwks', jwks],
  ['jwks_uri', jwksUri],
])('a client with %s gets tokens, and refreshes and revokes them', async (_name, keys) => {
  const { app, signer, client } = await setUp(keys)
  const signed = () => signer.signed(app.url, NAMED)
  const tokens = await client.exchange(await client.authorize(), await signed())
  expect(tokens).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
  const refreshed = await client.refresh(String(tokens.body.refresh_token), await signed())
  expect(refreshed).toMatchObject({ status: 200 })
  const token = String(refreshed.body.access_token)
  expect(await client.revoke(token, await signed())).toMatchObject({ status: 200 })
})

test('an issuer without a path may be written with a slash, and nothing more', async () => {
  const { app, signer, client } = await setUp(jwks)
  for (const [suffix, status] of [
    ['/', 200],
    ['//', 401],
    ['/mcp', 401],
  ] as const) {
    const signed = await signer.signed(app.url + suffix, NAMED)
    expect(await client.exchange(await client.authorize(), signed)).toMatchObject({ status })
  }
})

test.each<[string, (signer: SigningClient, url: string) => Promise<Record<string, string>>]>([
  ['no assertion', async () => ({})],
  ['the token endpoint as audience', (signer, url) => signer.signed(`${url}/token`, NAMED)],
  ['the name of another client', (signer, url) => signer.signed(url)],
  ['the same assertion twice', async (signer, url) => used(await signer.signed(url, NAMED))],
  ['a key of its own', (signer, url) => signer.rotate().then(() => signer.signed(url, NAMED))],
])('%s is refused, and the code stays valid', async (_what, params) => {
  const { app, signer, client } = await setUp(jwks)
  const authorization = await client.authorize()
  const good = await signer.signed(app.url, NAMED)
  const shown = await params(signer, app.url)
  if (uses.has(shown)) await client.introspect('x', shown)
  const refused = await client.exchange(authorization, shown)
  expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  expect(await client.exchange(authorization, good)).toMatchObject({ status: 200 })
})

const uses = new WeakSet<object>()
function used(params: Record<string, string>) {
  uses.add(params)
  return params
}

test('assertion_keys in the configuration are ignored', async () => {
  const { client } = await setUp(jwks, { assertion_keys: { isRequired: false } })
  const refused = await client.exchange(await client.authorize())
  expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

test.each([
  ['no keys', {}, 'requires either jwks or jwks_uri'],
  [
    'both',
    { jwks: { keys: [] }, jwks_uri: 'https://a.example/k' },
    'requires either jwks or jwks_uri',
  ],
  ['http', { jwks_uri: 'http://a.example/k' }, 'jwks_uri must be an https address'],
  ['a secret', { client_secret: 'x', jwks: { keys: [] } }, 'client_secret conflicts'],
  ['no key in the set', { jwks: { keys: [] } }, 'jwks must be'],
  ['a private key', { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }, 'jwks must be'],
  ['a shared secret', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, 'jwks must be'],
  ['a broken key', { jwks: { keys: [{ kty: 'EC', crv: 'P-256' }] } }, 'OAUTH_CLIENTS'],
])('%s prevents the start', async (_what, keys, words) => {
  const starting = setUp(() => keys)
  await expect(starting).rejects.toThrow(ConfigError)
  await expect(starting).rejects.toThrow(words)
})
