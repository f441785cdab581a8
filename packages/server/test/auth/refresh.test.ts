/** Refresh token rotation: lost responses and parallel refreshes sign nobody out. */

import { describe, expect, test } from 'vitest'
import { createOAuthClient, type OAuthClient } from '../support/oauth-client.ts'
import { start, startWithClock } from './authorization-apps.ts'

async function isActive(client: OAuthClient, token: unknown): Promise<boolean> {
  const { body } = await client.introspect(String(token))
  return body.active === true
}

async function refreshed(client: OAuthClient, token: string): Promise<string> {
  const { status, body } = await client.refresh(token)
  expect({ status, body }).toMatchObject({ status: 200 })
  return String(body.refresh_token)
}

const REFUSED = { status: 400, body: { error: 'invalid_grant' } }

describe('with a grace', () => {
  test('each use returns a new pair for the same session', async () => {
    const { app } = await startWithClock()
    const client = await createOAuthClient(app.url)
    const first = await client.connect()
    const { body: second } = await client.refresh(first.refresh_token)
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect(second.access_token).not.toBe(first.access_token)
    const sessions = [first, second].map(({ access_token: token }) =>
      client.introspect(String(token)),
    )
    const [a, b] = await Promise.all(sessions)
    expect(b?.body).toMatchObject({ active: true, session_id: a?.body.session_id })
  })

  test('the previous token returns the same successor, also for twenty concurrent uses and later', async () => {
    const { app, pass } = await startWithClock()
    const client = await createOAuthClient(app.url)
    const { refresh_token: token } = await client.connect()
    const uses = Array.from({ length: 20 }, () => refreshed(client, token))
    const successors = new Set(await Promise.all(uses))
    expect(successors.size).toBe(1)
    pass(50)
    const [successor = ''] = successors
    expect(await refreshed(client, token)).toBe(successor)
    await refreshed(client, successor)
  })

  test('after the window it revokes everything', async () => {
    const { app, pass } = await startWithClock()
    const client = await createOAuthClient(app.url)
    const { refresh_token: token } = await client.connect()
    const { body } = await client.refresh(token)
    pass(61)
    expect(await client.refresh(token)).toMatchObject(REFUSED)
    expect(await client.refresh(String(body.refresh_token))).toMatchObject(REFUSED)
    expect(await isActive(client, body.access_token)).toBe(false)
  })

  test('an older generation revokes everything within the window, too', async () => {
    const { app } = await startWithClock()
    const client = await createOAuthClient(app.url)
    const { refresh_token: token } = await client.connect()
    const last = await refreshed(client, await refreshed(client, token))
    expect(await client.refresh(token)).toMatchObject(REFUSED)
    expect(await client.refresh(last)).toMatchObject(REFUSED)
  })

  test('revoking beats it', async () => {
    const { app } = await startWithClock()
    const client = await createOAuthClient(app.url)
    const { refresh_token: token } = await client.connect()
    const next = await refreshed(client, token)
    expect(await client.revoke(next)).toMatchObject({ status: 200 })
    expect(await client.refresh(token)).toMatchObject(REFUSED)
    expect(await client.refresh(next)).toMatchObject(REFUSED)
  })

  test('another client cannot use it', async () => {
    const { app } = await startWithClock()
    const client = await createOAuthClient(app.url)
    const other = await createOAuthClient(app.url)
    const { refresh_token: token } = await client.connect()
    expect(await other.refresh(token)).toMatchObject(REFUSED)
    await refreshed(client, token)
  })
})

test('without a grace a second use revokes everything at once', async () => {
  const { app } = await startWithClock({ REFRESH_GRACE: '0' })
  const client = await createOAuthClient(app.url)
  const { refresh_token: token } = await client.connect()
  const next = await refreshed(client, token)
  expect(await client.refresh(token)).toMatchObject(REFUSED)
  expect(await client.refresh(next)).toMatchObject(REFUSED)
})

test('refreshing extends no lifetime, and never widens the grant', async () => {
  const { app, pass } = await startWithClock({ REFRESH_TOKEN_TTL: '3600' })
  const client = await createOAuthClient(app.url)
  const { refresh_token: first } = await client.connect({ scope: 'mcp' })
  const more = await client.refresh(first, { scope: 'mcp service:read' })
  expect(more).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
  pass(3000)
  const second = await refreshed(client, first)
  pass(700)
  expect(await client.refresh(second)).toMatchObject(REFUSED)
})

test('an idle session begins anew under its id', async () => {
  const { app, pass } = await startWithClock({ SESSION_TTL: '60' })
  const client = await createOAuthClient(app.url)
  const { access_token: token, refresh_token: refresh } = await client.connect()
  const { body: before } = await client.introspect(token)
  expect(before).toMatchObject({ active: true })
  pass(61)
  expect(await isActive(client, token)).toBe(false)
  const { body } = await client.refresh(refresh)
  const after = await client.introspect(String(body.access_token))
  expect(after.body).toMatchObject({ active: true, session_id: before.session_id })
})

test('a resource that was not granted is refused, and the token stays valid', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const { refresh_token: token } = await client.connect()
  const wrong = await client.refresh(token, { resource: 'https://elsewhere.example/mcp' })
  expect(wrong).toMatchObject({ status: 400, body: { error: 'invalid_target' } })
  await refreshed(client, token)
})

test('superfluous spaces between scopes are ignored', async () => {
  const app = await start()
  const client = await createOAuthClient(app.url)
  const { refresh_token: token } = await client.connect()
  const { status, body } = await client.refresh(token, { scope: ' mcp  offline_access ' })
  expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'mcp' })
})
