/** Changing to `LOGIN=at-authorize`: grants from before, without a sign-in. */

import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { structured } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { createOAuthClient, postForm } from '../support/oauth-client.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'
import { start } from './authorization-apps.ts'

/** The same server before and after, on one store. */
async function switchToAtAuthorize() {
  const port = String(await freePort())
  const store = createMemoryStore()
  const PUBLIC_URL = `http://localhost:${port}`
  const before = await start({ env: { PUBLIC_URL, MASK_MCP_PORT: port }, store })
  const after = await start({ env: { PUBLIC_URL, LOGIN: 'at-authorize' }, store })
  const refreshAfter = (id: string, token: string) => {
    const form = { grant_type: 'refresh_token', client_id: id, refresh_token: token }
    return postForm(`${after.localUrl}/token`, form)
  }
  return { before, refreshAfter }
}

test('a grant without a sign-in is no longer refreshed', async () => {
  const { before, refreshAfter } = await switchToAtAuthorize()
  const client = await createOAuthClient(before.url)
  const { refresh_token: token } = await client.connect()
  const refused = await refreshAfter(client.id, token)
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
})

test('one whose user has signed in since continues', async () => {
  const { before, refreshAfter } = await switchToAtAuthorize()
  const client = await createOAuthClient(before.url)
  const { access_token, refresh_token: token } = await client.connect()
  const headers = { authorization: `Bearer ${access_token}` }
  const call = await read(postModern(before.url, 'tools/call', { name: 'login' }, { headers }))
  await signInAs(newBrowser(), structured<SignInLink>(call.message.result ?? {}))
  expect(await refreshAfter(client.id, token)).toMatchObject({ status: 200 })
})

test('one that began with a sign-in continues, also after its session was idle', async () => {
  const store = createMemoryStore()
  const app = await start({ env: { LOGIN: 'at-authorize' }, store })
  const client = await createOAuthClient(app.url)
  const { browser, verifier, decide } = await client.openConsent()
  const { url } = await browser.open((await decide('allow')).url, { person: 'ada' })
  const code = url.searchParams.get('code') ?? ''
  const { body } = await client.exchange({ code, verifier })
  const session = await client.introspect(String(body.access_token))
  await store.delete(`{${session.body.session_id}}:session`)
  const first = await client.refresh(String(body.refresh_token))
  expect(first).toMatchObject({ status: 200 })
  const second = await client.refresh(String(first.body.refresh_token))
  expect(second).toMatchObject({ status: 200 })
})
