/** `LOGIN=at-authorize`: a client keeps its access for as long as its person is signed in upstream. */

import { expect, onTestFinished, test } from 'vitest'
import type { SessionRecord } from '../../src/session/record.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import {
  authorize,
  logout,
  personsBrowser,
  serviceOwner,
  sessionOf,
} from '../support/authorize-again.ts'
import { createOAuthClient, type OAuthClient, type Tokens } from '../support/oauth-client.ts'
import { start } from './authorization-apps.ts'

const ENV = { MCP_AUTH: 'required', LOGIN: 'at-authorize' }

async function authorized(env: Readonly<Record<string, string>> = {}) {
  const store = createMemoryStore()
  onTestFinished(() => store.close())
  const app = await start({ env: { ...ENV, ...env }, store })
  const client = await createOAuthClient(app.url)
  const tokens = await authorize(client, personsBrowser())
  const session = `{${sessionOf(tokens)}}:session`
  const storedKey = `{${sessionOf(tokens)}}:credentials`
  return { store, app, client, tokens, session, storedKey }
}

async function refreshed(client: OAuthClient, { refresh_token }: Tokens): Promise<Tokens> {
  const { status, body } = await client.refresh(String(refresh_token))
  expect(status).toBe(200)
  return body as unknown as Tokens
}

test('an idle session is signed in again when the client returns', async () => {
  const { store, app, client, tokens, session } = await authorized()
  expect(await serviceOwner(app.url, tokens)).toBe('Ada Lovelace')
  const before = await store.get<SessionRecord>(session)
  await store.delete(session)
  const fresh = await refreshed(client, tokens)
  expect(sessionOf(fresh)).toBe(sessionOf(tokens))
  expect(await serviceOwner(app.url, fresh)).toBe('Ada Lovelace')
  const { person, grantee, browser, state } = before ?? {}
  expect(await store.get(session)).toMatchObject({ person, grantee, browser, state })
})

test('the session of the user continues after it was idle and authorized again', async () => {
  const { store, app, client, tokens, session } = await authorized()
  await store.delete(session)
  const fresh = await refreshed(client, tokens)
  const again = await authorize(client, personsBrowser())
  expect(sessionOf(again)).toBe(sessionOf(fresh))
  expect(await serviceOwner(app.url, again)).toBe('Ada Lovelace')
})

test('without a sign-in the refresh is refused, and the client authorizes again', async () => {
  const { store, app, client, tokens, session, storedKey } = await authorized()
  const record = await store.get<SessionRecord>(session)
  const [[name = '', entry] = []] = Object.entries(record?.credentials ?? {})
  const ended = { [name]: { sealed: null, fence: (entry?.fence ?? 0) + 1 } }
  await store.patch(session, { credentials: ended, state: 'anonymous' })
  const refused = await client.refresh(String(tokens.refresh_token))
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  // A late write of the stored sign-in does not restore it.
  expect(await store.get(storedKey)).toBeDefined()
  const again = await authorize(client, personsBrowser())
  expect(await serviceOwner(app.url, again)).toBe('Ada Lovelace')
  await refreshed(client, again)
})

test('the sign-in of a session of the previous release is stored from its next refresh on', async () => {
  const { store, app, client, tokens, session, storedKey } = await authorized()
  await store.delete(storedKey)
  const second = await refreshed(client, tokens)
  await store.delete(session)
  const third = await refreshed(client, second)
  expect(await serviceOwner(app.url, third)).toBe('Ada Lovelace')
})

test('a node of the previous release that reopens the session does not end the sign-in', async () => {
  const { store, app, client, tokens, session } = await authorized()
  const before = await store.get<SessionRecord>(session)
  const { person, grantee, browser, rev, ...bare } = before ?? expect.fail('no session')
  await store.set(session, { ...bare, state: 'anonymous', credentials: {} }, 3600)
  const fresh = await refreshed(client, tokens)
  expect(await serviceOwner(app.url, fresh)).toBe('Ada Lovelace')
  expect(await store.get(session)).toMatchObject({ person, grantee, browser })
})

test('parallel refreshes of an idle session all find the sign-in', async () => {
  const { store, app, client, tokens, session } = await authorized()
  await store.delete(session)
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => client.refresh(String(tokens.refresh_token))),
  )
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
  const fresh = answers[0]?.body as unknown as Tokens
  expect(await serviceOwner(app.url, fresh)).toBe('Ada Lovelace')
})

test('logout deletes the sign-in permanently', async () => {
  const { store, app, client, tokens, session, storedKey } = await authorized()
  await logout(app.url, tokens)
  expect([await store.get(session), await store.get(storedKey)]).toEqual([undefined, undefined])
  const refused = await client.refresh(String(tokens.refresh_token))
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  expect(await store.get(session)).toBeUndefined()
})

test('revoking the last grant of an idle session deletes the sign-in', async () => {
  const { store, client, tokens, session, storedKey } = await authorized()
  await store.delete(session)
  await client.revoke(String(tokens.refresh_token))
  expect(await store.get(storedKey)).toBeUndefined()
})

test('LOGIN=on-demand stores no sign-in beyond its session', async () => {
  const { store, storedKey } = await authorized({ LOGIN: 'on-demand' })
  expect(await store.get(storedKey)).toBeUndefined()
})
