/** Rate limits as a denial of service: exhausting the quota of another caller. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller } from '../support/direct.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { limitsIn } from '../support/rate-limits.ts'
import { withToken } from '../support/token-app.ts'
import { post, postModern, read, request } from '../support/wire.ts'

const CALLER = 3
const TURNS = [...Array(2 * CALLER).keys()]

let app: TestApp
beforeAll(async () => {
  const env = { RATE_LIMIT: 'on', RATE_LIMIT_CALLER: String(CALLER), TRUSTED_PROXIES: '1' }
  app = await startApp({ env })
})
afterAll(() => app.stop())

const discover = (token: string) =>
  read(postModern(app.url, 'server/discover', {}, { headers: withToken(token) }))

async function expectUntouched(token: string): Promise<void> {
  const { status, headers } = await discover(token)
  expect(status).toBe(200)
  expect(limitsIn(headers)).toMatchObject([{ limit: 'caller', remaining: CALLER - 1 }])
}

it('a revoked token does not lock out its session', async () => {
  const client = await createOAuthClient(app.url)
  const { access_token: stolen, refresh_token } = await client.connect()
  const { body } = await client.refresh(refresh_token)
  await client.revoke(stolen)
  for (const _ of TURNS) expect((await discover(stolen)).status).toBe(401)
  await expectUntouched(String(body.access_token))
})

it.each(['/mcp', '/messages'])('an id does not lock out a session: %s', async (path) => {
  const { token } = await authorizeDirectCaller(app.url)
  const id = String(decodeJwt(token).session_id)
  const named = path === '/mcp' ? { 'mcp-session-id': id } : {}
  const query = path === '/mcp' ? '' : `?session_id=${id}`
  for (const turn of TURNS) {
    const from = { 'x-forwarded-for': `192.0.2.${turn}`, 'content-type': 'application/json' }
    const body = JSON.stringify(request('ping'))
    const init = { method: 'POST', headers: { ...named, ...from }, body }
    const answer = await fetch(app.url + path + query, init)
    expect(answer.headers.get('ratelimit')).toContain('"caller"')
    await answer.arrayBuffer()
  }
  await expectUntouched(token)
})

it('a malformed MCP session id counts for no MCP session', async () => {
  const shaped = `con_${'x'.repeat(43)}`
  const limitsWith = async (id: string) => {
    const { headers } = await read(post(app.url, request('ping'), { 'mcp-session-id': id }))
    return limitsIn(headers).map(({ limit }) => limit)
  }
  for (const id of ['con_short', `${shaped}x`, shaped.slice(3), 'x'.repeat(5000)]) {
    expect(await limitsWith(id)).toEqual(['address'])
  }
  expect(await limitsWith(shaped)).toEqual(['address', 'caller'])
})
