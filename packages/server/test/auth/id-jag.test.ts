/** Enterprise-managed authorization: identity assertions (ID-JAG) for access tokens. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { callWith, idsIn, signInToAccount } from '../support/account.ts'
import {
  type AssertionIssuer,
  JWT_BEARER_GRANT,
  startAssertionIssuer,
} from '../support/assertion-issuer.ts'
import { tokenUser } from '../support/machine-client.ts'
import { claimsOf, type Params, postForm, REDIRECT_URI } from '../support/oauth-client.ts'
import { createBrowser, signInAs } from '../support/sign-in.ts'
import { startSigningClient } from '../support/signing-client.ts'
import { start } from './authorization-apps.ts'

const CALLERS = new URL('../fixtures/callers', import.meta.url).pathname
const desk = { client_id: 'desk', client_secret: 'the secret of the desk' }
const PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag'

let issuer: AssertionIssuer
beforeAll(async () => {
  issuer = await startAssertionIssuer()
})
afterAll(() => issuer.stop())

const entry = { ...desk, client_name: 'Desk', grant_types: [JWT_BEARER_GRANT] }
const startDesk = (more: object = {}, env: Readonly<Record<string, string>> = {}) =>
  start({
    env: {
      OAUTH_ID_JAG_ISSUERS: `https://elsewhere.example ${issuer.url}`,
      OAUTH_CLIENTS: JSON.stringify([{ ...entry, ...more }]),
      ...env,
    },
    catalogDirectory: CALLERS,
  })
const present = (url: string, assertion: string, params: Params = {}) =>
  postForm(`${url}/token`, { grant_type: JWT_BEARER_GRANT, assertion, ...desk, ...params })
const metadataOf = async (url: string) => {
  const response = await fetch(`${url}/.well-known/oauth-authorization-server`)
  return (await response.json()) as Readonly<Record<string, unknown>>
}

test('an assertion is exchanged for a token of the user, without a refresh token', async () => {
  const { url } = await startDesk()
  const { status, body } = await present(url, await issuer.assertion(url, 'desk'))
  expect(status).toBe(200)
  expect(body).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'mcp',
  })
  const desk = tokenUser(url, String(body.access_token))
  expect(await desk.result('whoami')).toEqual({
    ...{ kind: 'token', subject: 'ada', client: 'desk', scopes: ['mcp'], claims: ['iss', 'sub'] },
  })
})

test('a person is still asked to sign in upstream', async () => {
  const { url } = await startDesk()
  const assertion = await issuer.assertion(url, 'desk', { scope: 'mcp service:read' })
  const { body } = await present(url, assertion)
  const desk = tokenUser(url, String(body.access_token))
  expect(JSON.stringify((await desk.call('service')).body)).toContain(`${url}/connect/`)
  expect(await desk.result('login')).toMatchObject({ url: expect.stringContaining('/connect/') })
})

test('the metadata advertises it only with issuers', async () => {
  const { url } = await startDesk()
  expect(await metadataOf(url)).toMatchObject({
    authorization_grant_profiles_supported: [PROFILE],
    grant_types_supported: expect.arrayContaining([JWT_BEARER_GRANT]),
  })
  const { url: without } = await start()
  const metadata = await metadataOf(without)
  expect(metadata).not.toHaveProperty('authorization_grant_profiles_supported')
  expect(metadata.grant_types_supported).not.toContain(JWT_BEARER_GRANT)
})

test.each<[string, string | undefined, string | undefined, string | undefined, string]>([
  ['those of the assertion', 'mcp service:read', undefined, undefined, 'mcp service:read'],
  ['mcp without any', undefined, undefined, undefined, 'mcp'],
  ['not more than the assertion has', 'mcp', 'mcp service:read', undefined, 'mcp'],
  ['not more than is asked for', 'mcp service:read', 'service:read', undefined, 'service:read'],
  ['not more than the client has', 'mcp service:read', undefined, 'mcp', 'mcp'],
  ['no unknown ones', 'mcp made:up', undefined, undefined, 'mcp'],
  ['an error if none remains', 'mcp', 'service:read', undefined, 'invalid_scope'],
])('scopes: %s', async (_what, named, scope, most, expected) => {
  const { url } = await startDesk({ scope: most })
  const { body } = await present(url, await issuer.assertion(url, 'desk', { scope: named }), {
    scope,
  })
  expect(body.error ?? body.scope).toBe(expected)
})

test.each<[string, string | undefined, string | undefined, string]>([
  ['that of the assertion', '/http', undefined, '/http'],
  ['that of the request', undefined, '/http', '/http'],
  ['the same in both', '/sse', '/sse', '/sse'],
  ['with a slash', '/http/', undefined, '/http'],
  ['the usual one', undefined, undefined, '/mcp'],
])('resource: %s', async (_what, claimed, asked, expected) => {
  const { url } = await startDesk()
  const at = (path: string | undefined) => path && url + path
  const assertion = await issuer.assertion(url, 'desk', { resource: at(claimed) })
  const { body } = await present(url, assertion, { resource: at(asked) })
  expect(claimsOf(String(body.access_token)).aud).toBe(url + expected)
})

test('a new assertion continues the session of person and client, until they sign out', async () => {
  const { url } = await startDesk()
  const user = async (sub = 'ada') => {
    const { body } = await present(url, await issuer.assertion(url, 'desk', { sub }))
    return tokenUser(url, String(body.access_token))
  }
  const first = await user()
  await first.result('remember', { text: 'of ada' })
  expect(await (await user()).result('remember')).toMatchObject({ before: 'of ada' })
  expect(await (await user('ben')).result('remember')).toMatchObject({ before: '' })
  await (await user()).call('logout')
  expect(await first.status()).toBe(401)
  expect(await (await user()).result('remember')).toMatchObject({ before: '' })
  expect(await first.status()).toBe(401)
})

test.each([
  ['a public client', { client_id: 'public', client_secret: undefined }],
  ['one with other grants', { client_id: 'web', client_secret: 'x' }],
])('%s may not use assertions', async (_what, shown) => {
  const clients = [
    entry,
    { client_id: 'public', redirect_uris: [REDIRECT_URI] },
    {
      ...{ client_id: 'web', client_secret: 'x', redirect_uris: [REDIRECT_URI] },
      grant_types: ['authorization_code'],
    },
  ]
  const { url } = await startDesk({}, { OAUTH_CLIENTS: JSON.stringify(clients) })
  const assertion = await issuer.assertion(url, shown.client_id)
  const refused = await present(url, assertion, shown)
  expect(refused).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
})

test('a client with a metadata document may use the grant if it signs, not as a public client', async () => {
  const signer = await startSigningClient(() => ({
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  }))
  const { url } = await start({
    env: { OAUTH_ID_JAG_ISSUERS: issuer.url },
    documentCa: signer.host.ca,
    catalogDirectory: CALLERS,
  })
  const shown = { client_id: signer.id, client_secret: undefined }
  const assertion = await issuer.assertion(url, signer.id)
  expect(await present(url, assertion, shown)).toMatchObject({
    ...{ status: 400, body: { error: 'unauthorized_client' } },
  })
  const signed = await signer.signed(url)
  expect(await present(url, assertion, { ...shown, ...signed })).toMatchObject({ status: 200 })
  await signer.host.close()
})

test('an unavailable issuer is 503, and the assertion stays valid', async () => {
  const own = await startAssertionIssuer()
  const { url } = await startDesk({}, { OAUTH_ID_JAG_ISSUERS: own.url })
  const assertion = await own.assertion(url, 'desk')
  await own.goAway()
  const unavailable = await present(url, assertion)
  expect(unavailable).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
  expect(unavailable.headers.get('retry-after')).toMatch(/^\d+$/)
  await own.comeBack()
  expect(await present(url, assertion)).toMatchObject({ status: 200 })
  await own.rotate()
  expect(await present(url, await own.assertion(url, 'desk'))).toMatchObject({ status: 200 })
  await own.stop()
})

test('the grant needs an assertion', async () => {
  const { url } = await startDesk()
  const { status, body } = await postForm(`${url}/token`, { grant_type: JWT_BEARER_GRANT, ...desk })
  expect([status, body.error]).toEqual([400, 'invalid_request'])
})

test('the person sees the client at /account, and removed scopes stay removed', async () => {
  const { url } = await startDesk()
  const browser = createBrowser()
  const tokenFor = async () => {
    const assertion = await issuer.assertion(url, 'desk', { scope: 'mcp service:read' })
    return String((await present(url, assertion)).body.access_token)
  }
  const token = await tokenFor()
  const { url: link, code } = (await tokenUser(url, token).result('login')) as {
    readonly url: string
    readonly code: string
  }
  await signInAs(browser, { url: link, code })
  expect((await callWith(url, token, 'service')).status).toBe(200)
  const { page } = await signInToAccount(url, 'ada', browser)
  expect(page.text).toContain('Desk')
  const [id = ''] = idsIn(page, 'clients')
  await browser.open(`${url}/account`, { action: 'narrow', id, scope: 'mcp' })
  expect((await callWith(url, token, 'service')).status).toBe(403)
  expect((await callWith(url, await tokenFor(), 'service')).status).toBe(403)
})
