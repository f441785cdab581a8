/**
 * Continued sessions: switched off, tokens of the previous release, and tokens that name another
 * grant.
 */

import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { tokenKey } from '../../src/auth/server/issued-tokens.ts'
import { loadConfig } from '../../src/config.ts'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { Entries } from '../../src/oidc/entries.ts'
import { start } from '../auth/authorization-apps.ts'
import {
  authorize,
  consentPage,
  openedSession,
  rememberIn,
  sessionOf,
  statusOf,
} from '../support/authorize-again.ts'
import { claimsOf, createOAuthClient, type Tokens } from '../support/oauth-client.ts'
import { CLUSTER_CATALOG as catalogDirectory } from '../support/three-nodes.ts'

const { secrets } = loadConfig({ env: { NODE_ENV: 'test' }, cwd: import.meta.dirname })
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** The token with other claims, signed with the development secret. */
function resigned({ access_token: token, ...tokens }: Tokens, claims: object): Tokens {
  const payload = encode({ ...claimsOf(token), ...claims })
  const input = `${token.split('.')[0]}.${payload}`
  const signature = createHmac('sha256', secrets.jwtSecret).update(input).digest('base64url')
  return { ...tokens, access_token: `${input}.${signature}` }
}

test('SESSION_CONTINUE=off starts a new session each time, whatever is requested', async () => {
  const { url } = await start({ env: { SESSION_CONTINUE: 'off' }, catalogDirectory })
  const client = await createOAuthClient(url)
  const { browser, tokens } = await openedSession([url, url], client)
  expect((await consentPage(client, browser)).page.text).not.toContain('session you opened')
  for (const decision of ['allow', 'continue'] as const) {
    expect(sessionOf(await authorize(client, browser, { decision }))).not.toBe(sessionOf(tokens))
  }
})

test('a token that names a grant other than its own is refused', async () => {
  const { url } = await start({ catalogDirectory })
  const client = await createOAuthClient(url)
  const { browser, tokens } = await openedSession([url, url], client)
  const other = await authorize(client, browser)
  const { grant_id } = claimsOf(other.access_token)
  for (const forged of [{ grant_id }, { grant_id: undefined }, { grant_id: 'gra_x' }]) {
    expect(await statusOf(url, resigned(tokens, forged))).toBe(401)
  }
  expect(await statusOf(url, resigned(tokens, {}))).toBe(200)
})

test('a token of the previous release identifies its session, until that is revoked', async () => {
  const { url, store } = await start({ catalogDirectory })
  const client = await createOAuthClient(url)
  const { browser, tokens, connection } = await openedSession([url, url], client)
  const sessionId = sessionOf(tokens)
  const keyRing = createKeyRing(secrets.encryptionKeys)
  const options = { prefix: 'oauth', longestTtlSeconds: 3600 }
  const entries = new Entries({ store, keyRing, now: Date.now }, options)
  // As that release left them: one grant, with the id of the session.
  const old = resigned(tokens, { grant_id: undefined })
  for (const [model, id] of [
    ['AccessToken', String(claimsOf(tokens.access_token).jti)],
    ['RefreshToken', tokens.refresh_token],
  ] as const) {
    const { payload } = (await entries.read(model, id)) ?? expect.fail(`no ${model}`)
    const grant = await entries.read('Grant', String(payload.grantId))
    if (grant !== undefined) await entries.write('Grant', sessionId, grant.payload)
    await entries.write(model, id, { ...payload, grantId: sessionId })
  }
  await store.delete(tokenKey(sessionId, String(claimsOf(tokens.access_token).jti)))
  await store.delete(`{${sessionId}}:grants`)
  expect(await rememberIn(url, connection, old)).toBe('before')
  const again = await authorize(client, browser)
  expect(sessionOf(again)).toBe(sessionId)
  // The new grant is not the last one.
  expect((await client.revoke(again.refresh_token)).status).toBe(200)
  expect(await statusOf(url, again)).toBe(401)
  expect(await rememberIn(url, connection, old)).toBe('before')
  const refreshed = await client.refresh(tokens.refresh_token)
  expect(refreshed.status).toBe(200)
  const renewed = refreshed.body as unknown as Tokens
  expect(await rememberIn(url, connection, renewed)).toBe('before')
  expect((await client.revoke(renewed.refresh_token)).status).toBe(200)
  for (const each of [old, renewed]) expect(await statusOf(url, each)).toBe(401)
})
