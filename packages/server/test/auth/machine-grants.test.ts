/** `client_credentials` (RFC 6749, section 4.4): who gets tokens, and their access. */

import { expect, test } from 'vitest'
import { ConfigError } from '../../src/config.ts'
import { tokenUser } from '../support/machine-client.ts'
import {
  claimsOf,
  createOAuthClient,
  type Params,
  postForm,
  REDIRECT_URI,
  register,
} from '../support/oauth-client.ts'
import { startSigningClient } from '../support/signing-client.ts'
import { CLUSTER_CATALOG } from '../support/three-nodes.ts'
import { startTokenApp } from '../support/token-app.ts'
import { start } from './authorization-apps.ts'

const CALLERS = new URL('../fixtures/callers', import.meta.url).pathname

const GRANT = 'client_credentials'
const job = {
  client_id: 'nightly',
  client_secret: 'the secret of the job',
  client_name: 'Nightly job',
  grant_types: [GRANT],
}
const shown = { client_id: job.client_id, client_secret: job.client_secret }
const withClients = (...clients: object[]) => ({ OAUTH_CLIENTS: JSON.stringify(clients) })
const requestToken = (url: string, params: Params = {}) =>
  postForm(`${url}/token`, { grant_type: GRANT, ...shown, ...params })
const grantsAt = async (url: string) => {
  const response = await fetch(`${url}/.well-known/oauth-authorization-server`)
  return ((await response.json()) as { grant_types_supported: string[] }).grant_types_supported
}

test('a configured client gets a token for itself, and no refresh token', async () => {
  const { url } = await start({ env: withClients(job) })
  const { status, headers, body } = await requestToken(url)
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
  expect(body).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'mcp',
  })
  expect(claimsOf(String(body.access_token))).toMatchObject({
    client_id: 'nightly',
    aud: `${url}/mcp`,
    sub: expect.stringMatching(/^ses_/),
  })
})

test('the metadata names the grant only if a client has it', async () => {
  const { url } = await start({ env: withClients(job) })
  expect(await grantsAt(url)).toContain(GRANT)
  const { url: without } = await start({
    env: withClients({ client_id: 'a', client_secret: 'b', redirect_uris: [REDIRECT_URI] }),
  })
  expect(await grantsAt(without)).not.toContain(GRANT)
  expect(await requestToken(without)).toMatchObject({ body: { error: 'invalid_client' } })
})

test.each<[string, string | undefined, string | undefined, number, string]>([
  ['its own by default', 'mcp service:read', undefined, 200, 'mcp service:read'],
  ['the requested ones', 'mcp service:read', 'service:read', 200, 'service:read'],
  ['none that it does not have', 'mcp', 'mcp service:read', 200, 'mcp'],
  ['only mcp if it has none', undefined, 'mcp service:read', 200, 'mcp'],
  ['an error if nothing is left', 'mcp', 'service:read', 400, 'invalid_scope'],
  ['no unknown ones', 'mcp made:up', undefined, 200, 'mcp'],
])('scopes: %s', async (_what, scope, asked, status, expected) => {
  const { url } = await start({ env: withClients({ ...job, scope }) })
  const { status: given, body } = await requestToken(url, { scope: asked })
  expect([given, body.error ?? body.scope]).toEqual([status, expected])
})

test('the token is for one resource of this server', async () => {
  const { url } = await start({ env: withClients(job) })
  const { body } = await requestToken(url, { resource: `${url}/http` })
  expect(claimsOf(String(body.access_token)).aud).toBe(`${url}/http`)
  const other = await requestToken(url, { resource: 'https://other.example/mcp' })
  expect(other).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
})

test.each([
  ['another secret', { client_secret: 'guessed' }],
  ['no secret', { client_secret: undefined }],
])('%s gets no token', async (_what, params) => {
  const { url } = await start({ env: withClients(job) })
  const refused = await requestToken(url, params)
  expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
})

const UNAUTHORIZED = { status: 400, body: { error: 'unauthorized_client' } }

test('other clients are refused: configured, registered, public, with a document', async () => {
  const signer = await startSigningClient()
  const clients = [
    { client_id: 'web', client_secret: 'x', redirect_uris: [REDIRECT_URI] },
    { client_id: 'public', redirect_uris: [REDIRECT_URI] },
  ]
  const { url } = await start({
    env: withClients(job, ...clients),
    documentCa: signer.host.ca,
  })
  const web = { client_id: 'web', client_secret: 'x' }
  expect(await requestToken(url, web)).toMatchObject(UNAUTHORIZED)
  const known = { client_id: 'public', client_secret: undefined }
  expect(await requestToken(url, known)).toMatchObject(UNAUTHORIZED)
  for (const method of ['none', 'client_secret_post']) {
    const { registration } = await createOAuthClient(url, {
      metadata: { token_endpoint_auth_method: method },
    })
    const { client_id, client_secret } = registration as Record<string, string>
    expect(await requestToken(url, { client_id, client_secret })).toMatchObject(UNAUTHORIZED)
  }
  const signed = { ...(await signer.signed(url)), client_id: signer.id, client_secret: undefined }
  expect(await requestToken(url, signed)).toMatchObject(UNAUTHORIZED)
  await signer.host.close()
})

test('nobody can register the grant', async () => {
  const { url } = await start({ env: withClients(job) })
  const method = { token_endpoint_auth_method: 'client_secret_post' }
  const alone = await register(url, { ...method, grant_types: [GRANT], redirect_uris: [] })
  expect(alone).toMatchObject({ status: 400 })
  const without = await register(url, { ...method, grant_types: [GRANT] })
  expect(without).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } })
  const both = await register(url, { ...method, grant_types: ['authorization_code', GRANT] })
  expect(both).toMatchObject({ status: 201, body: { grant_types: ['authorization_code'] } })
})

test('a client that also acts for users keeps both grants', async () => {
  const both = {
    ...{ client_id: 'both', client_secret: 'x', redirect_uris: [REDIRECT_URI] },
    grant_types: ['authorization_code', 'refresh_token', GRANT],
  }
  const { url } = await start({ env: withClients(both) })
  const client = await createOAuthClient(url, { known: both })
  expect(await client.connect()).toMatchObject({ refresh_token: expect.any(String) })
  const own = await requestToken(url, { client_id: 'both', client_secret: 'x' })
  expect(own.body).toMatchObject({ token_type: 'Bearer' })
})

test('a server for machines only authorizes no other client', async () => {
  const env = {
    ...{ MCP_AUTH: 'required', UPSTREAM_AUTH: 'none', UPSTREAM_API_URL: 'http://localhost:1' },
    ...withClients(job),
  }
  const catalogDirectory = new URL('../fixtures/cross-talk', import.meta.url).pathname
  const { url } = await start({ env, catalogDirectory })
  expect(await requestToken(url)).toMatchObject({ status: 200 })
  expect(await register(url)).toMatchObject({ status: 404 })
  const signer = await startSigningClient()
  for (const client_id of [job.client_id, signer.id]) {
    const client = await createOAuthClient(url, { known: { client_id } })
    const { page } = await client.openConsent()
    expect([page.url.pathname, page.status]).toEqual(['/authorize', 400])
  }
  expect(signer.host.seen).toEqual([])
  await signer.host.close()
  const web = { client_id: 'web', redirect_uris: [REDIRECT_URI] }
  await expect(start({ env: { ...env, ...withClients(job, web) } })).rejects.toThrow('MCP_AUTH')
})

test('tokens of an external issuer for a machine are distinguished from those of people', async () => {
  const app = await startTokenApp({ catalogDirectory: CALLERS })
  const kindOf = async (claims: object) => {
    const token = await app.issuer.sign({ ...app.issuer.claims(`${app.url}/mcp`), ...claims })
    return (await tokenUser(app.url, token).result('whoami')).kind
  }
  expect(await kindOf({})).toBe('token')
  for (const claims of [{ sub: 'client-a' }, { idtyp: 'app' }, { gty: 'client-credentials' }]) {
    expect(await kindOf(claims)).toBe('client')
  }
  await app.stop()
})

test('a client without a browser gets no code', async () => {
  const { url } = await start({ env: withClients(job) })
  const client = await createOAuthClient(url, { known: shown })
  const { page } = await client.openConsent()
  expect([page.url.pathname, page.status]).toEqual(['/authorize', 400])
})

test('further tokens continue the session, until it signs out', async () => {
  const { url } = await start({ env: withClients(job), catalogDirectory: CLUSTER_CATALOG })
  const next = async () => tokenUser(url, String((await requestToken(url)).body.access_token))
  const [first, second] = [await next(), await next()]
  expect(await first.result('remember', { text: 'one' })).toMatchObject({ before: '' })
  expect(await second.result('remember', { text: 'two' })).toMatchObject({ before: 'one' })
  expect(await first.result('remember', { text: 'three' })).toMatchObject({ before: 'two' })
  await second.call('logout')
  expect(await first.status()).toBe(401)
  const third = await next()
  expect(await third.result('remember', { text: 'four' })).toMatchObject({ before: '' })
  expect([await first.status(), await second.status()]).toEqual([401, 401])
})

test('a single token can be introspected and revoked', async () => {
  const { url } = await start({ env: withClients(job), catalogDirectory: CLUSTER_CATALOG })
  const token = async () => String((await requestToken(url)).body.access_token)
  const [one, other] = [await token(), await token()]
  const introspect = async (given: string) =>
    (await postForm(`${url}/introspect`, { ...shown, token: given })).body
  expect(await introspect(one)).toMatchObject({ active: true, client_id: 'nightly', scope: 'mcp' })
  expect(await postForm(`${url}/revoke`, { ...shown, token: one })).toMatchObject({ status: 200 })
  expect(await introspect(one)).toEqual({ active: false })
  const [revoked, alive] = [tokenUser(url, one), tokenUser(url, other)]
  expect([await revoked.status(), await alive.status()]).toEqual([401, 200])
  await alive.call('logout')
  await token()
  expect(await introspect(other)).toEqual({ active: false })
})

test.each([
  ['no secret', { client_secret: undefined }, 'requires a client_secret or private_key_jwt'],
  ['the method none', { token_endpoint_auth_method: 'none' }, 'requires a client_secret'],
  ['text as grants', { grant_types: GRANT }, 'redirect_uris'],
  ['a scope with a quote', { scope: 'a"b' }, 'scope must be scopes'],
  ['a list of scopes', { scope: ['mcp'] }, 'scope must be scopes'],
  ['another grant alone', { grant_types: ['password'] }, 'redirect_uris'],
])('%s prevents the start', async (_what, more, words) => {
  const starting = start({ env: withClients({ ...job, ...more }) })
  await expect(starting).rejects.toThrow(ConfigError)
  await expect(starting).rejects.toThrow(words)
})
