/** Access tokens of the built-in server at the resources: access, expiry and revocation. */

import { createHmac } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { structured } from '../support/clients.ts'
import { failingStore } from '../support/failing-store.ts'
import { claimsOf, createOAuthClient } from '../support/oauth-client.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'
import { start, startWithClock } from './authorization-apps.ts'

async function list(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return (await read(postModern(url, 'tools/list', {}, { headers }))).status
}

async function call(url: string, token: string, name: string) {
  const headers = { authorization: `Bearer ${token}` }
  const params = { name, arguments: {} }
  const { message } = await read(postModern(url, 'tools/call', params, { headers }))
  return message.result ?? {}
}

describe.each(['HS256', 'ES256', 'EdDSA'])('signed with %s', (JWT_ALG) => {
  test('a token opens its session, which one can sign in to', async () => {
    const app = await start({ env: { JWT_ALG } })
    const { access_token: token } = await (await createOAuthClient(app.url)).connect()
    const link = structured<SignInLink>(await call(app.url, token, 'login'))
    expect(link).not.toHaveProperty('session')
    await signInAs(newBrowser(), link, 'ada')
    const account = structured<{ owner: string }>(await call(app.url, token, 'service'))
    expect(account.owner).toBe('Ada Lovelace')
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
    expect(header).toMatchObject({ alg: JWT_ALG, typ: 'at+jwt' })
    expect(header.kid === undefined).toBe(JWT_ALG === 'HS256')
  })

  test('it is revoked at once, by itself and with its refresh token', async () => {
    const app = await start({ env: { JWT_ALG } })
    const client = await createOAuthClient(app.url)
    const { access_token: one, refresh_token: refresh } = await client.connect()
    const other = String((await client.refresh(refresh)).body.access_token)
    expect([await list(app.url, one), await list(app.url, other)]).toEqual([200, 200])
    await client.revoke(one)
    expect([await list(app.url, one), await list(app.url, other)]).toEqual([401, 200])
    await client.revoke(refresh)
    expect(await list(app.url, other)).toBe(401)
  })
})

test.each(['ES256', 'EdDSA'])('with %s anybody can verify them', async (JWT_ALG) => {
  const app = await start({ env: { JWT_ALG } })
  const { access_token: token } = await (await createOAuthClient(app.url)).connect()
  const keys = createRemoteJWKSet(new URL(`${app.url}/jwks`))
  const { payload } = await jwtVerify(token, keys, { issuer: app.url, typ: 'at+jwt' })
  expect(payload).toEqual(claimsOf(token))
  expect(await (await fetch(`${app.url}/jwks`)).text()).not.toContain('"d"')
})

test('a token for one of the resources is valid at all', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  for (const path of ['/mcp', '/http', '/sse']) {
    const { access_token: token } = await client.connect({ resource: app.url + path })
    expect(await list(app.url, token)).toBe(200)
  }
})

test('logging out ends the refresh token, too', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const { access_token: token, refresh_token: refresh } = await client.connect()
  await call(app.url, token, 'logout')
  expect(await list(app.url, token)).toBe(401)
  const refused = { status: 400, body: { error: 'invalid_grant' } }
  expect(await client.refresh(refresh)).toMatchObject(refused)
})

test('a token expires by the clock of the store', async () => {
  const { app, pass } = await startWithClock({ ACCESS_TOKEN_TTL: '60' })
  const { access_token: token } = await (await createOAuthClient(app.url)).connect()
  pass(59)
  expect(await list(app.url, token)).toBe(200)
  pass(2)
  expect(await list(app.url, token)).toBe(401)
})

test('one that the server did not issue is refused, even with its secret', async () => {
  const JWT_SECRET = 'the secret of a server in a test, and of its attacker'
  const app = await start({ env: { JWT_SECRET } })
  const { access_token: token } = await (await createOAuthClient(app.url)).connect()
  const claims = claimsOf(token)
  const forge = (changes: object, header: object = { alg: 'HS256', typ: 'at+jwt' }) => {
    const parts = [header, { ...claims, ...changes }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    const signature = createHmac('sha256', JWT_SECRET).update(parts.join('.')).digest('base64url')
    return [...parts, signature].join('.')
  }
  expect(await list(app.url, forge({}))).toBe(200)
  for (const forged of [
    forge({ jti: 'never issued' }),
    forge({ session_id: 'ses_of_somebody_else' }),
    forge({ aud: 'https://elsewhere.example/mcp' }),
    forge({ iss: 'https://elsewhere.example' }),
    forge({ exp: Number(claims.iat) - 600 }),
    forge({}, { alg: 'HS256', typ: 'JWT' }),
    forge({}, { alg: 'none', typ: 'at+jwt' }),
    forge({}, { alg: 'HS512', typ: 'at+jwt' }),
    `${token}x`,
    token.replace(/\.[^.]*$/, '.'),
  ]) {
    expect(await list(app.url, forged)).toBe(401)
  }
})

test.each(['HS256', 'ES256'])(
  'with %s an unavailable store is 503, never a refusal',
  async (JWT_ALG) => {
    const store = failingStore()
    const app = await start({ store, env: { JWT_ALG } })
    const { access_token: token } = await (await createOAuthClient(app.url)).connect()
    store.disconnect()
    expect(await list(app.url, token)).toBe(503)
    store.reconnect()
    expect(await list(app.url, token)).toBe(200)
  },
)
