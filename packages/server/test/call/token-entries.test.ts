/**
 * Token entries in the store: readable, authenticated, in one slot, and shared with the previous
 * release.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTokenEntries, tokenKey } from '../../src/auth/server/issued-tokens.ts'
import { loadConfig } from '../../src/config.ts'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { Entries } from '../../src/oidc/entries.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Document } from '../../src/store/port.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { claimsOf, createOAuthClient, type OAuthClient } from '../support/oauth-client.ts'
import { withToken } from '../support/token-app.ts'
import { PROTOCOL_CATALOG, postModern, read } from '../support/wire.ts'

const MINUTE = 60
const store = createMemoryStore()
/** Two nodes that share a store. */
let nodes: readonly [TestApp, TestApp]
let client: OAuthClient
let token: string
let sessionId: string
let key: string
let grantId: string

beforeAll(async () => {
  const port = String(await freePort())
  const PUBLIC_URL = `http://localhost:${port}`
  const options = { catalogDirectory: PROTOCOL_CATALOG, store }
  nodes = [
    await startApp({ ...options, env: { PUBLIC_URL, MASK_MCP_PORT: port } }),
    await startApp({ ...options, env: { PUBLIC_URL } }),
  ]
})
afterAll(() => Promise.all(nodes.map((node) => node.stop())))

beforeEach(async () => {
  client = await createOAuthClient(nodes[0].localUrl)
  token = (await client.connect()).access_token
  const { session_id, jti } = claimsOf(token)
  sessionId = String(session_id)
  key = tokenKey(sessionId, String(jti))
  grantId = String((await entryOf(key)).grantId)
  expect(await statuses()).toEqual([200, 200])
})

async function statuses(): Promise<readonly number[]> {
  const params = { name: 'echo', arguments: { text: 'x' } }
  const answers = nodes.map(({ localUrl }) =>
    read(postModern(localUrl, 'tools/call', params, { headers: withToken(token) })),
  )
  return (await Promise.all(answers)).map(({ status }) => status)
}

async function entryOf(name: string): Promise<Document> {
  return (await store.get(name)) ?? expect.fail('no entry')
}

test('an entry is readable, and contains no secret', async () => {
  const entry = await entryOf(key)
  expect(entry).toMatchObject({ clientId: client.id, mac: expect.any(String) })
  expect(JSON.stringify(entry)).not.toContain(token)
})

test.each<[string, Document]>([
  ['more scopes', { scope: 'mcp admin' }],
  ['another client', { clientId: 'somebody' }],
  ['a later end', { exp: 99_999_999_999 }],
  ['another audience', { aud: 'https://elsewhere.example/mcp' }],
  ['another grant', { grantId: 'ses_other' }],
  ['no mac', { mac: undefined }],
  ['an empty mac', { mac: '' }],
  ['a mac that is not a string', { mac: 7 }],
])('an entry with %s is refused from the next call on', async (_what, change) => {
  await store.set(key, { ...(await entryOf(key)), ...change }, MINUTE)
  expect(await statuses()).toEqual([401, 401])
})

test('an entry that was copied from another token or session is refused', async () => {
  const own = await entryOf(key)
  const other = (await (await createOAuthClient(nodes[0].localUrl)).connect()).access_token
  const { session_id, jti } = claimsOf(other)
  await store.set(key, await entryOf(tokenKey(String(session_id), String(jti))), MINUTE)
  expect(await statuses()).toEqual([401, 401])
  await store.set(key, own, MINUTE)
  expect(await statuses()).toEqual([200, 200])
})

describe('after a revocation at one node, the other refuses the next call of', () => {
  test('the token', async () => {
    await client.revoke(token)
    expect(await statuses()).toEqual([401, 401])
  })

  test('a grant, by its refresh token', async () => {
    const tokens = await client.connect()
    token = tokens.access_token
    expect(await statuses()).toEqual([200, 200])
    await client.revoke(tokens.refresh_token)
    expect(await statuses()).toEqual([401, 401])
  })

  test('a session', async () => {
    await store.delete(`{${sessionId}}:session`)
    expect(await statuses()).toEqual([401, 401])
  })

  test('only the grant, in the slot of its session', async () => {
    const { secrets } = loadConfig({ env: { NODE_ENV: 'test' }, cwd: import.meta.dirname })
    const keyRing = createKeyRing(secrets.encryptionKeys)
    await createTokenEntries({ store, keyRing }, { longestTtlSeconds: MINUTE }).revokeGrant(grantId)
    expect(await statuses()).toEqual([401, 401])
  })
})

describe('with nodes of the previous release', () => {
  const earlier = () => {
    const { secrets } = loadConfig({ env: { NODE_ENV: 'test' }, cwd: import.meta.dirname })
    const keyRing = createKeyRing(secrets.encryptionKeys)
    const options = { prefix: 'oauth', longestTtlSeconds: 10 * MINUTE }
    return new Entries({ store, keyRing, now: Date.now }, options)
  }

  test('accepts their tokens, which have no entry of the new kind', async () => {
    await store.delete(key)
    expect(await statuses()).toEqual([200, 200])
  })

  test('they accept tokens of this release', async () => {
    const entry = await earlier().read('AccessToken', String(claimsOf(token).jti))
    expect(entry?.payload).toMatchObject({ accountId: sessionId, clientId: client.id })
  })

  test('refuses a token that they have revoked', async () => {
    await earlier().remove('AccessToken', String(claimsOf(token).jti))
    expect(await statuses()).toEqual([401, 401])
  })

  test('refuses their token if they have revoked its grant', async () => {
    await store.delete(key)
    await earlier().revokeGrant(grantId)
    expect(await statuses()).toEqual([401, 401])
  })
})

test('an entry with a replaced key is valid while the key is in the ring', async () => {
  const [old, fresh, stranger] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2), Buffer.alloc(32, 3)]
  const entriesWith = (...keys: Buffer[]) =>
    createTokenEntries({ store, keyRing: createKeyRing(keys) }, { longestTtlSeconds: MINUTE })
  const payload = { accountId: 'ses_1', clientId: 'c', scope: 'mcp', exp: 1, kind: 'AccessToken' }
  await entriesWith(old).write('jti', payload)
  expect(await entriesWith(fresh, old).read('ses_1', 'jti')).toMatchObject({ clientId: 'c' })
  expect(await entriesWith(fresh, stranger).read('ses_1', 'jti')).toBeUndefined()
})
