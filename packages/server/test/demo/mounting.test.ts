/** The demo's provider as part of a server: several nodes, a proxy, a forged Host header. */

import { request } from 'node:http'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { bank, openIdProvider, REDIRECT_URI, signIn, startDemo } from './demo-server.ts'

test('two nodes with one store and one secret are one provider', async () => {
  const store = createMemoryStore()
  const a = await startDemo({ store })
  const b = await startDemo({ store, origin: a.origin })
  const credentials = await signIn(a)
  expect((await bank(b, '/accounts/me', credentials.accessToken)).status).toBe(200)
  const keys = async (node: string) => (await fetch(`${node}/demo/idp/jwks`)).json()
  expect(await keys(b.own)).toEqual(await keys(a.own))
  expect(b.idp.clientSecret).toBe(a.idp.clientSecret)
  await openIdProvider(b.idp).revoke(credentials)
  expect((await bank(b, '/accounts/me', credentials.accessToken)).status).toBe(401)
})

test('its URLs do not depend on the host in a request', async () => {
  const demo = await startDemo()
  const metadata = await new Promise<string>((resolve, reject) => {
    const url = `${demo.own}/demo/idp/.well-known/openid-configuration`
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' }
    request(url, { headers }, async (res) => resolve(Buffer.concat(await res.toArray()).toString()))
      .on('error', reject)
      .end()
  })
  expect(metadata).not.toContain('evil')
  expect(JSON.parse(metadata).token_endpoint).toBe(`${demo.origin}/demo/idp/token`)
})

test('behind a proxy that terminates TLS its URLs and cookies are secure', async () => {
  const demo = await startDemo({ origin: 'https://mcp.example.com' })
  const query = new URLSearchParams({
    client_id: demo.idp.clientId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
  })
  const url = `${demo.own}/demo/idp/auth?${query}`
  const { headers } = await fetch(url, { redirect: 'manual' })
  expect(headers.get('location')).toMatch(/^\/demo\/idp\/interaction\//)
  const cookies = headers.getSetCookie()
  expect(cookies).not.toHaveLength(0)
  for (const cookie of cookies) expect(cookie).toMatch(/path=\/demo\/idp\/.*; secure/)
})

test.each(['/demo/idp', '/demo/idp?x=1', '/demo/idp/nothing'])('%s is not found', async (path) => {
  const demo = await startDemo()
  expect((await fetch(demo.own + path)).status).toBe(404)
})

test('an unavailable store is reported as a failure of the server', async () => {
  const store = { ...createMemoryStore(), get: () => Promise.reject(new Error('unavailable')) }
  const demo = await startDemo({ store })
  const refresh = demo.provider.refresh({ accessToken: 'a', refreshToken: 'r' })
  await expect(refresh).rejects.toMatchObject({ code: 'provider_unavailable' })
  expect(demo.errors.map(String)).toEqual(['Error: unavailable'])
})
