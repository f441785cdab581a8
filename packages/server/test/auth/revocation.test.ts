/** `/revoke` and `/introspect`: revocation on all nodes, for the owner of the token only. */

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { claimsOf, createOAuthClient, type OAuthClient } from '../support/oauth-client.ts'
import { withToken } from '../support/token-app.ts'
import { postModern, read } from '../support/wire.ts'
import { start } from './authorization-apps.ts'

const REFUSED = { status: 400, body: { error: 'invalid_grant' } }

async function isActive(client: OAuthClient, token: string): Promise<boolean> {
  const { status, body } = await client.introspect(token)
  expect(status).toBe(200)
  return body.active === true
}

test('revoking a refresh token revokes its access tokens and ends its session', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const { access_token: access, refresh_token: refresh } = await client.connect()
  const other = await client.connect()
  expect(await client.revoke(refresh)).toMatchObject({ status: 200 })
  expect(await isActive(client, access)).toBe(false)
  expect(await client.refresh(refresh)).toMatchObject(REFUSED)
  expect(await isActive(client, other.access_token)).toBe(true)
})

test('revoking an access token ends only that one', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const { access_token: access, refresh_token: refresh } = await client.connect()
  for (const hint of ['access_token', undefined]) {
    expect(await client.revoke(access, { token_type_hint: hint })).toMatchObject({ status: 200 })
  }
  expect(await isActive(client, access)).toBe(false)
  const { body } = await client.refresh(refresh)
  expect(await isActive(client, String(body.access_token))).toBe(true)
})

test('unknown and malformed tokens count as revoked', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const { access_token: access } = await client.connect()
  const { jti } = claimsOf(access)
  for (const token of [
    ...['unknown', 'a.b.c', String(jti)],
    ...[`${access}x`, access.replace(/\.[^.]*$/, '.')],
  ]) {
    expect(await client.revoke(token)).toMatchObject({ status: 200 })
    expect(await isActive(client, token)).toBe(false)
  }
  expect(await isActive(client, access)).toBe(true)
})

describe('introspection', () => {
  test('returns the claims of a token', async () => {
    const app = await start()
    const client = await createOAuthClient(app.url)
    const { access_token: access, refresh_token: refresh } = await client.connect()
    expect((await client.introspect(access)).body).toMatchObject({
      active: true,
      client_id: client.id,
      iss: app.url,
      aud: `${app.url}/mcp`,
      scope: 'mcp service:read',
      token_type: 'Bearer',
      session_id: expect.stringMatching(/^ses_/),
    })
    expect((await client.introspect(refresh)).body).toMatchObject({ active: true })
  })

  test('reports tokens inactive after logout', async () => {
    const app = await start()
    const client = await createOAuthClient(app.url)
    const { access_token: access, refresh_token: refresh } = await client.connect()
    const headers = withToken(access)
    await read(postModern(app.url, 'tools/call', { name: 'logout' }, { headers }))
    expect(await isActive(client, access)).toBe(false)
    expect(await isActive(client, refresh)).toBe(false)
  })

  test('reveals nothing to other clients, and they cannot revoke', async () => {
    const app = await start()
    const client = await createOAuthClient(app.url)
    const secret = { token_endpoint_auth_method: 'client_secret_post' }
    const { access_token: access, refresh_token: refresh } = await client.connect()
    for (const metadata of [{}, secret]) {
      const other = await createOAuthClient(app.url, { metadata })
      for (const token of [access, refresh]) {
        expect((await other.introspect(token)).body).toEqual({ active: false })
        await other.revoke(token)
      }
    }
    expect(await isActive(client, access)).toBe(true)
    expect(await isActive(client, refresh)).toBe(true)
  })

  test('serves the resource servers that the operator configured', async () => {
    const known = { client_id: 'gateway', client_secret: 'a secret of the gateway' }
    const clients = [{ ...known, redirect_uris: ['https://gateway.example/callback'] }]
    const app = await start({ env: { OAUTH_CLIENTS: JSON.stringify(clients) } })
    const { access_token: access } = await (await createOAuthClient(app.url)).connect()
    const gateway = await createOAuthClient(app.url, { known })
    expect((await gateway.introspect(access)).body).toMatchObject({ active: true })
  })
})

test('a revoked token does not renew its session', async () => {
  const store = createMemoryStore()
  const touch = vi.spyOn(store, 'touch')
  const app = await start({ store })
  const client = await createOAuthClient(app.url)
  const { access_token: access } = await client.connect()
  const statusOfCall = async () =>
    (await read(postModern(app.url, 'tools/list', {}, { headers: withToken(access) }))).status
  const session = `{${String(claimsOf(access).session_id)}}:session`
  // A TTL is renewed at most once a second.
  await delay(1100)
  expect(await statusOfCall()).toBe(200)
  // In the background.
  await expect.poll(() => touch.mock.calls.at(-1)?.[0]).toBe(session)
  touch.mockClear()
  await client.revoke(access)
  await delay(1100)
  expect(await statusOfCall()).toBe(401)
  expect(touch).not.toHaveBeenCalled()
})
