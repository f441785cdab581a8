/** Behaviour of real clients that no specification requires. */

import { describe, expect, test } from 'vitest'
import { v1AtMcp } from '../support/authorized-clients.ts'
import { structured } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { createOAuthClient, postForm, REDIRECT_URI, register } from '../support/oauth-client.ts'
import { createPerson } from '../support/oauth-person.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'
import { closing, startGuarded } from './apps.ts'

/** Whether a token lets its holder call a tool. */
async function isGood(url: string, token: string): Promise<boolean> {
  const { status } = await read(
    postModern(
      url,
      'tools/call',
      { name: 'session', arguments: {} },
      { headers: withToken(token) },
    ),
  )
  return status === 200
}

describe('redirect addresses', () => {
  test.each([
    ['http://127.0.0.1/', 'http://127.0.0.1:33418/'],
    ['http://localhost/callback', 'http://localhost:61234/callback'],
    ['http://localhost:3118/callback', 'http://localhost:50000/callback'],
    ['http://[::1]/callback', 'http://[::1]:50000/callback'],
  ])('%s is registered, %s is asked for', async (registered, redirect_uri) => {
    const { url } = await startGuarded()
    const { id: client_id } = await createOAuthClient(url, {
      metadata: { redirect_uris: [registered] },
    })
    const person = { known: { client_id }, metadata: { redirect_uris: [redirect_uri] } }
    const client = await createOAuthClient(url, person)
    const { code, verifier } = await client.authorize()
    const tokens = await client.exchange({ code, verifier })
    expect(tokens).toMatchObject({ status: 200 })
  })

  test.each([
    'cursor://anysphere.cursor-retrieval/oauth/user-abc/callback',
    'vscode://vscode.github-authentication/did-authenticate',
    'vscode-insiders://vscode.github-authentication/did-authenticate',
    'https://vscode.dev/redirect',
    'https://claude.ai/api/mcp/auth_callback',
    'https://chatgpt.com/connector_platform_oauth_redirect',
    'https://insiders.vscode.dev/redirect?windowId=_blank',
  ])('%s gets its code', async (redirectUri) => {
    const { url } = await startGuarded()
    const metadata = { redirect_uris: [redirectUri] }
    const client = await createOAuthClient(url, { metadata })
    expect(await isGood(url, (await client.connect()).access_token)).toBe(true)
  })

  test('VS Code registers many kinds at once', async () => {
    const { url } = await startGuarded()
    const redirect_uris = [
      'https://insiders.vscode.dev/redirect',
      'https://vscode.dev/redirect',
      'http://127.0.0.1/',
      'http://127.0.0.1:33418/',
    ]
    const grant_types = ['authorization_code', 'refresh_token', DEVICE_CODE]
    const { status, body } = await register(url, { redirect_uris, grant_types })
    expect(status).toBe(201)
    expect(body).toMatchObject({ grant_types: ['authorization_code', 'refresh_token'] })
  })
})

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

describe('resource and scope', () => {
  test.each([
    ['with a slash at its end', '/mcp/'],
    ['the authorization server', ''],
    ['the origin as browsers write it', '/'],
    ['the origin with a query', '/?tenant=1'],
    ['another door', '/sse'],
  ])('resource: %s', async (_what, path) => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const resource = url + path
    const authorization = await client.authorize({ resource })
    const { status, body } = await client.exchange(authorization, { resource })
    expect(status).toBe(200)
    expect(await isGood(url, String(body.access_token))).toBe(true)
    const refreshed = await client.refresh(String(body.refresh_token), { resource })
    expect(refreshed).toMatchObject({ status: 200 })
  })

  test('a resource of another server is refused, and the client gets the error', async () => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const { page } = await client.ask({ resource: 'https://elsewhere.example/mcp' })
    expect(page.url.searchParams.get('error')).toBe('invalid_target')
  })

  test('no resource and no scope', async () => {
    const { url } = await startGuarded()
    const tokens = await (await createOAuthClient(url)).connect()
    expect(tokens.scope).toBe('mcp service:read')
    expect(await isGood(url, tokens.access_token)).toBe(true)
  })

  test.each([
    ['offline_access', 'mcp service:read'],
    ['openid profile email offline_access', 'mcp service:read'],
    ['mcp offline_access', 'mcp'],
    [' mcp  service:read ', 'mcp service:read'],
    [' ', 'mcp service:read'],
    ['mcp read:everything', 'mcp'],
  ])('scope %s gives %s and a refresh token', async (scope, granted) => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const tokens = await client.connect({ scope })
    expect(tokens).toMatchObject({ scope: granted, refresh_token: expect.any(String) })
    // Some send again what they asked for.
    expect(await client.refresh(tokens.refresh_token, { scope: granted })).toMatchObject({
      status: 200,
    })
  })

  test('a refresh that repeats omitted scopes returns the granted ones', async () => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const { refresh_token: token } = await client.connect({ scope: 'mcp offline_access' })
    const { status, body } = await client.refresh(token, { scope: 'mcp offline_access' })
    expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'mcp' })
  })

  test('a refresh for what does not exist is refused', async () => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const { refresh_token: token } = await client.connect()
    const refused = await client.refresh(token, { scope: 'read:everything' })
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
  })

  test('parameters of OpenID Connect and of Google are borne', async () => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const asked = {
      ...{ scope: 'openid mcp', nonce: 'n', prompt: 'consent' },
      ...{ access_type: 'offline', response_mode: 'query', audience: url },
    }
    expect(await isGood(url, (await client.connect(asked)).access_token)).toBe(true)
  })
})

describe('how clients say who they are', () => {
  test('a public client with an empty secret', async () => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const authorization = await client.authorize()
    expect(await client.exchange(authorization, { client_secret: '' })).toMatchObject({
      status: 200,
    })
  })

  test('a public client that tries a header first (golang.org/x/oauth2) keeps its code', async () => {
    const { url } = await startGuarded()
    const client = await createOAuthClient(url)
    const authorization = await client.authorize()
    const { code, verifier: code_verifier } = authorization
    const first = {
      grant_type: 'authorization_code',
      code,
      code_verifier,
      redirect_uri: REDIRECT_URI,
    }
    const header = { authorization: `Basic ${btoa(`${client.id}:`)}` }
    expect((await postForm(`${url}/token`, first, header)).status).toBeOneOf([400, 401])
    expect(await client.exchange(authorization)).toMatchObject({ status: 200 })
  })

  test.each([
    ['client_secret_basic', 'client_secret_post'],
    ['client_secret_post', 'client_secret_basic'],
  ])('one registered for %s uses %s', async (registered, used) => {
    const { url } = await startGuarded()
    const metadata = { token_endpoint_auth_method: registered }
    const client = await createOAuthClient(url, { metadata })
    const { refresh_token: token } = await client.connect()
    const secret = String(client.registration.client_secret)
    const refresh = { grant_type: 'refresh_token', refresh_token: token }
    const answer =
      used === 'client_secret_post'
        ? postForm(`${url}/token`, { ...refresh, client_id: client.id, client_secret: secret })
        : postForm(`${url}/token`, refresh, {
            authorization: `Basic ${btoa(`${client.id}:${secret}`)}`,
          })
    expect(await answer).toMatchObject({ status: 200 })
  })
})

test('parallel refreshes and lost responses sign nobody out', async () => {
  const { url } = await startGuarded()
  const client = await createOAuthClient(url)
  const { refresh_token: first } = await client.connect()
  const answers = await Promise.all([client.refresh(first), client.refresh(first)])
  for (const { status, body } of answers) {
    expect(status).toBe(200)
    expect(await isGood(url, String(body.access_token))).toBe(true)
  }
  // Nobody got that answer: the client has the token before only.
  await client.refresh(first)
  expect(await client.refresh(first)).toMatchObject({ status: 200 })
})

describe('a redeploy', () => {
  test('that has lost its state makes the client register again', async () => {
    const port = String(await freePort())
    const before = await startGuarded({ env: { MASK_MCP_PORT: port } })
    const person = createPerson()
    await (await v1AtMcp.connect(before.url, person)).close()
    const { client_id: old } = person.memory.client ?? {}
    const { refresh_token = '' } = person.memory.tokens ?? {}
    await before.stop()
    const { url } = await startGuarded({ env: { MASK_MCP_PORT: port } })
    const refresh = { grant_type: 'refresh_token', refresh_token, client_id: old }
    const refused = await postForm(`${url}/token`, refresh)
    expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    const client = closing(await v1AtMcp.connect(url, person))
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
    expect(person.memory.client?.client_id).not.toBe(old)
  })
})

describeRedis('plain', 'a redeploy on Redis', () => {
  test('leaves the client as it was', async () => {
    const redis = await startRedis('plain')
    closing({ close: () => redis.stop() })
    const env = { REDIS_URL: redis.url, MASK_MCP_PORT: String(await freePort()) }
    const before = await startGuarded({ env })
    const person = createPerson()
    await (await v1AtMcp.connect(before.url, person)).close()
    await before.stop()
    const { url } = await startGuarded({ env })
    const client = closing(await v1AtMcp.connect(url, person))
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
    expect(person.sentTo).toHaveLength(1)
  })
})
