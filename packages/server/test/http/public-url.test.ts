/** Behind a proxy: links and cookies follow `PUBLIC_URL`, never a request. */

import { afterEach, expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { callWith, submitCode } from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'
import { startProvider } from '../upstream/fake-provider.ts'
import { json } from '../upstream/misbehaving-server.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

const PUBLIC_URL = 'https://mcp.example.com'

async function start() {
  const provider = await startProvider()
  const app = await startApp({
    env: {
      PUBLIC_URL,
      UPSTREAM_ISSUER: provider.origin,
      UPSTREAM_CLIENT_ID: 'client-1',
      UPSTREAM_API_URL: `${provider.origin}/api`,
    },
  })
  stops.push(app.stop)
  const { localUrl: url } = app
  const { message } = await read(
    postModern(url, 'tools/call', { name: 'login' }, { headers: POISON }),
  )
  const login = structured<{ url: string; code: string; session: string }>(message.result ?? {})
  return { provider, url, login }
}

const POISON = {
  'x-forwarded-host': 'evil.com',
  'x-forwarded-proto': 'http',
  'x-forwarded-port': '666',
  forwarded: 'host=evil.com;proto=http',
  'x-original-url': '/evil',
}

/** Enters the code as a browser behind the proxy does. */
async function leave({ provider, url, login }: Awaited<ReturnType<typeof start>>) {
  const link = url + new URL(login.url).pathname
  const response = await submitCode(link, login.code, { ...POISON, origin: PUBLIC_URL })
  const parameters = new URL(response.headers.get('location') ?? '').searchParams
  const nonce = parameters.get('nonce') ?? ''
  const idToken = provider.sign({ ...provider.claims(), nonce })
  provider.paths['/token'] = json(provider.tokens({ id_token: idToken }))
  const cookie = response.headers.getSetCookie()[0] ?? ''
  const back = (value: string) =>
    fetch(`${url}/callback?state=${parameters.get('state')}&code=code-1`, {
      headers: { cookie: value },
    })
  return { parameters, cookie, back }
}

test('links and redirect URIs use PUBLIC_URL', async () => {
  const started = await start()
  expect(started.login.url.startsWith(`${PUBLIC_URL}/connect/lnk_`)).toBe(true)
  const { parameters } = await leave(started)
  expect(parameters.get('redirect_uri')).toBe(`${PUBLIC_URL}/callback`)
})

test('with https the cookie is restricted to https and this host', async () => {
  const started = await start()
  const { cookie, back } = await leave(started)
  expect(cookie).toMatch(/^__Host-mcp-sign-in-/)
  expect(cookie).toMatch(/; Secure/)
  expect(cookie).toMatch(/; Path=\/(;|$)/)
  expect(cookie).not.toMatch(/Domain=/i)
  const response = await back(cookie.split(';')[0] ?? '')
  expect(response.status).toBe(200)
  expect(response.headers.getSetCookie()[0]).toMatch(
    /^__Host-mcp-sign-in-[\w-]+=; Max-Age=0.*Secure/,
  )
  const { state } = structured<{ state: string }>(
    await callWith(started.url, started.login.session, 'session'),
  )
  expect(state).toBe('authenticated')
})

test('a cookie that a sibling domain could have set is ignored', async () => {
  const { cookie, back } = await leave(await start())
  const pair = (cookie.split(';')[0] ?? '').replace('__Host-', '')
  expect((await back(pair)).status).toBe(403)
})
