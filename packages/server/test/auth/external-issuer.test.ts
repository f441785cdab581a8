/** Tokens of an external issuer: key discovery, key rotation, outages, and configured audiences. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startApp, type TestAppOptions } from '../support/app.ts'
import { type ExternalIssuer, startExternalIssuer } from '../support/external-issuer.ts'
import { failingStore } from '../support/failing-store.ts'
import { postModern, read } from '../support/wire.ts'

const issuers: ExternalIssuer[] = []
afterEach(() => Promise.all(issuers.splice(0).map((issuer) => issuer.stop())))

async function start(options: TestAppOptions = {}, path = '', slash = '') {
  const issuer = await startExternalIssuer(path)
  issuers.push(issuer)
  const env = { OAUTH_ISSUER: issuer.url + slash, ...options.env }
  const app = await startApp({ ...options, env })
  onTestFinished(() => app.stop())
  const send = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    return read(postModern(app.url, 'tools/list', {}, { headers }))
  }
  const statusOf = async (token: string) => (await send(token)).status
  return { app, issuer, send, statusOf, resource: `${app.url}/mcp` }
}

describe('its keys', () => {
  test('are found by its metadata, once for many tokens', async () => {
    const { issuer, statusOf, resource } = await start({}, '/realms/one')
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.token(resource)))
    const statuses = await Promise.all(tokens.map(statusOf))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(issuer.requestedPaths.filter((path) => path.endsWith('/jwks'))).toHaveLength(1)
    expect(issuer.requestedPaths.length).toBeLessThan(5)
  })

  test('may change at any time', async () => {
    const { issuer, statusOf, resource } = await start()
    const before = await issuer.token(resource)
    expect(await statusOf(before)).toBe(200)
    await issuer.rotate()
    expect(await statusOf(await issuer.token(resource))).toBe(200)
    expect(await statusOf(before)).toBe(401)
  })

  test('that do not exist are not requested repeatedly', async () => {
    const { issuer, statusOf, resource } = await start()
    expect(await statusOf(await issuer.token(resource))).toBe(200)
    const forged = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        issuer.sign(issuer.claims(resource), { kid: `made up ${index}` }),
      ),
    )
    expect(new Set(await Promise.all(forged.map(statusOf)))).toEqual(new Set([401]))
    expect(issuer.requestedPaths.filter((path) => path.endsWith('/jwks')).length).toBeLessThan(5)
  })
})

describe('when it does not answer', () => {
  test('a token is not refused, and is valid once the issuer is available', async () => {
    const { issuer, send, statusOf, resource } = await start()
    const token = await issuer.token(resource)
    await issuer.goAway()
    const { status, headers, message } = await send(token)
    expect([status, message.error?.data]).toEqual([503, { code: 'unavailable' }])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(headers.get('www-authenticate')).toBeNull()
    await issuer.comeBack()
    expect(await statusOf(token)).toBe(200)
  })

  test('known keys stay in use', async () => {
    const { issuer, statusOf, resource } = await start()
    expect(await statusOf(await issuer.token(resource))).toBe(200)
    const token = await issuer.token(resource)
    await issuer.goAway()
    expect(await statusOf(token)).toBe(200)
    await issuer.comeBack()
  })
})

describe('metadata', () => {
  test('that names another issuer is not used, and the log names it', async () => {
    const { app, issuer, statusOf, resource } = await start({}, '', '/other')
    expect(await statusOf(await issuer.token(resource))).toBe(503)
    expect(app.lines.join('')).toContain('issuer keys not read')
  })

  test.each([
    ['', '/'],
    ['/realms/one', '/'],
  ])('at %j may spell the issuer without the slash of OAUTH_ISSUER', async (path, slash) => {
    const { app, issuer, statusOf, resource } = await start({}, path, slash)
    expect(await statusOf(await issuer.token(resource))).toBe(200)
    const lines = app.lines.filter((line) => line.includes('differ by a slash'))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', check: 'OAUTH_ISSUER' })
  })
})

test('an unavailable store is 503 and not 401', async () => {
  const store = failingStore()
  const { issuer, send, statusOf, resource } = await start({ store })
  const token = await issuer.token(resource)
  store.disconnect(':session')
  const { status, headers } = await send(token)
  expect([status, headers.get('www-authenticate')]).toEqual([503, null])
  store.reconnect()
  expect(await statusOf(token)).toBe(200)
})

test('a token costs one round trip to the store, once its session is there', async () => {
  const store = failingStore()
  const { issuer, statusOf, resource } = await start({ store })
  const token = await issuer.token(resource)
  expect(await statusOf(token)).toBe(200)
  store.commands.length = 0
  expect(await statusOf(token)).toBe(200)
  // The renewal of the session's TTL is not awaited.
  expect(store.commands.filter((command) => !command.startsWith('touch '))).toHaveLength(1)
})

test('a token from before a logout renews nothing', async () => {
  const store = createMemoryStore()
  const touch = vi.spyOn(store, 'touch')
  const { app, issuer, statusOf, resource } = await start({ store })
  const seconds = Math.floor(Date.now() / 1000)
  const issued = (iat: number) => issuer.sign({ ...issuer.claims(resource), iat })
  const [stolen, fresh] = await Promise.all([issued(seconds - 10), issued(seconds + 5)])
  const headers = { authorization: `Bearer ${stolen}` }
  await read(postModern(app.url, 'tools/call', { name: 'logout', arguments: {} }, { headers }))
  expect(await statusOf(fresh)).toBe(200)
  // In the background.
  await expect.poll(() => touch.mock.calls.length).toBeGreaterThan(0)
  touch.mockClear()
  // A TTL is renewed at most once a second.
  await delay(1100)
  expect(await statusOf(stolen)).toBe(401)
  expect(touch).not.toHaveBeenCalled()
})

describe('the audience', () => {
  test.each(['/mcp', '/sse', '/http', '/mcp/'])('%s is valid everywhere', async (path) => {
    const { app, issuer, statusOf } = await start()
    expect(await statusOf(await issuer.token(app.url + path))).toBe(200)
  })

  test('may be one of several, and one that was configured', async () => {
    const { issuer, statusOf, resource } = await start({ env: { OAUTH_AUDIENCE: 'api://bank' } })
    const several = { ...issuer.claims(resource), aud: ['https://other.example', 'api://bank/'] }
    expect(await statusOf(await issuer.sign(several))).toBe(200)
    expect(await statusOf(await issuer.sign(issuer.claims(resource)))).toBe(401)
  })
})

describe('forms of tokens', () => {
  test('scopes as a list, the client as azp, and the type JWT are understood', async () => {
    const { issuer, statusOf, resource } = await start()
    const { scope: _scope, client_id: _client, ...claims } = issuer.claims(resource)
    const okta = { ...claims, scp: ['mcp', 'service:read'], cid: 'client-a' }
    const keycloak = { ...claims, scope: 'mcp service:read', azp: 'client-a' }
    expect(await statusOf(await issuer.sign(okta, { typ: 'JWT' }))).toBe(200)
    expect(await statusOf(await issuer.sign(keycloak, { typ: 'application/at+jwt' }))).toBe(200)
  })
})
