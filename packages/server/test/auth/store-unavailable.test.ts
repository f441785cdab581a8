/** An unavailable store is 503, never a refusal, on which clients discard their tokens. */

import { expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { failingStore } from '../support/failing-store.ts'
import { createOAuthClient, REDIRECT_URI, register } from '../support/oauth-client.ts'
import { start } from './authorization-apps.ts'

test('every endpoint reports it, and serves again afterwards', async () => {
  const store = failingStore()
  const app = await start({ store })
  const client = await createOAuthClient(app.url)
  const tokens = await client.connect()
  const authorization = await client.authorize()
  const consent = await client.openConsent()

  store.disconnect()
  for (const answer of [
    await client.exchange(authorization),
    await client.refresh(tokens.refresh_token),
    await client.revoke(tokens.refresh_token),
    await client.revoke(tokens.access_token),
    await client.introspect(tokens.access_token),
    await register(app.url),
  ]) {
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
    expect(answer.headers.get('retry-after')).toBe('1')
  }
  expect((await client.openConsent()).page.status).toBe(503)
  for (const page of [
    await consent.browser.open(consent.page.url),
    await consent.decide('allow'),
  ]) {
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1'])
    expect(page.text).toContain('<h1>Not available just now</h1>')
  }
  expect((await createBrowser().open(`${app.url}/authorize?client_id=x`)).status).toBe(503)

  store.reconnect()
  expect(await client.exchange(authorization)).toMatchObject({ status: 200 })
  expect(await client.refresh(tokens.refresh_token)).toMatchObject({ status: 200 })
  expect((await consent.decide('allow')).url.href).toContain(REDIRECT_URI)
})

test('a failure midway is 503, never a refusal', async () => {
  const store = failingStore()
  const app = await start({ store })
  const client = await createOAuthClient(app.url)
  const { refresh_token: token } = await client.connect()
  store.disconnect(':session')
  expect(await client.refresh(token)).toMatchObject({ status: 503 })
  store.reconnect()
  expect(await client.refresh(token)).toMatchObject({ status: 200 })
})

test('/authorize waits for it once', async () => {
  const store = failingStore()
  const app = await start({ store })
  const client = await createOAuthClient(app.url)
  store.disconnect()
  store.commands.length = 0
  expect((await client.openConsent()).page.status).toBe(503)
  expect(store.commands).toEqual([expect.stringContaining('oauth:Client:')])
})
