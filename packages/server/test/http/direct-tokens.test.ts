/** The access token of direct calls: missing, invalid, or without the required scope. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectAnswer, postDirect } from '../support/direct.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import type { HeaderFields } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

const PING = '{"method":"ping"}'
const SERVICE = { name: 'service', arguments: {} }

/** Expects a problem document with a challenge; returns the challenge. */
function expectRefusal({ status, type, headers, body }: DirectAnswer, expected: [number, string]) {
  expect([status, body.code, type]).toEqual([...expected, 'application/problem+json'])
  expect(body.detail).toMatch(/\w/)
  const challenge = headers.get('www-authenticate') ?? ''
  const metadata = `${app.url}/.well-known/oauth-protected-resource/http`
  expect(challenge).toMatch(/^Bearer /)
  expect(challenge).toContain(`resource_metadata="${metadata}"`)
  return challenge
}

test.each<[string, HeaderFields, string | undefined, [number, string]]>([
  ['no token', {}, undefined, [401, 'unauthorized']],
  ['another scheme', { authorization: 'Basic eDp4' }, undefined, [401, 'unauthorized']],
  ['a bad token', { authorization: 'Bearer x' }, 'invalid_token', [401, 'unauthorized']],
  ['two tokens', { authorization: 'Bearer x, y' }, 'invalid_request', [400, 'invalid_request']],
])('with %s a call is refused, with a challenge', async (_what, headers, error, expected) => {
  const challenge = expectRefusal(await postDirect(app.url, PING, { headers }), expected)
  expect(/error="(\w+)"/.exec(challenge)?.[1]).toBe(error)
})

test('clients of the protocol get a JSON-RPC error', async () => {
  const message = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
  const { status, body, headers } = await postDirect(app.url, message)
  expect([status, body.jsonrpc, body.id]).toEqual([401, '2.0', 1])
  expect(headers.get('www-authenticate')).toMatch(/^Bearer /)
})

test('a token without the scope of a tool gets the required scope', async () => {
  const small = await authorizeDirectCaller(app.url, { scope: 'mcp' })
  expect((await small.call('tools/call', { name: 'session' })).status).toBe(200)
  const answer = await small.call('tools/call', SERVICE)
  const challenge = expectRefusal(answer, [403, 'insufficient_scope'])
  expect(challenge).toContain('error="insufficient_scope"')
  expect(challenge).toContain('scope="mcp service:read"')

  const [, scope = ''] = /scope="([^"]+)"/.exec(challenge) ?? []
  const enough = await authorizeDirectCaller(app.url, { scope })
  const again = await enough.call('tools/call', SERVICE)
  expect(again.body).toMatchObject({ resultType: 'input_required' })
})

test('a revoked token is invalid', async () => {
  const client = await createOAuthClient(app.url)
  const { access_token: token } = await client.connect()
  const headers = { authorization: `Bearer ${token}` }
  expect((await postDirect(app.url, PING, { headers })).status).toBe(200)
  await client.revoke(token)
  expectRefusal(await postDirect(app.url, PING, { headers }), [401, 'unauthorized'])
})
