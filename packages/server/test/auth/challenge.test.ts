/** Challenges (401 and 403): metadata, scopes, and no side effects. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listen } from '../support/event-reader.ts'
import { startTokenApp, type TokenApp } from '../support/token-app.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

let app: TokenApp
beforeAll(async () => {
  app = await startTokenApp({ env: { MCP_AUTH: 'required' } })
})
afterAll(() => app.stop())

/** The parameters of a challenge. */
function parametersOf({ headers }: { readonly headers: Headers }): Record<string, string> {
  const [, parameters = ''] = /^Bearer (.*)$/.exec(headers.get('www-authenticate') ?? '') ?? []
  return Object.fromEntries(
    [...parameters.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  )
}

const SERVICE = { name: 'service', arguments: {} }

describe('without a token', () => {
  test.each([
    ['/mcp', '/mcp'],
    ['/http', '/http'],
    ['/sse', '/sse'],
    ['/messages', '/sse'],
  ])('%s names its metadata and scopes, and no error', async (path, resource) => {
    const method = path === '/sse' ? 'GET' : 'POST'
    const headers = { 'content-type': 'application/json' }
    const body = method === 'POST' ? { body: JSON.stringify(INITIALIZE) } : {}
    const answer = await fetch(app.url + path, { method, headers, ...body })
    expect(answer.status).toBe(401)
    expect(parametersOf(answer)).toEqual({
      resource_metadata: `${app.url}/.well-known/oauth-protected-resource${resource}`,
      scope: 'mcp service:read',
    })
    expect(await (await fetch(parametersOf(answer).resource_metadata ?? '')).json()).toMatchObject({
      resource: app.url + resource,
    })
  })

  test('the operator chooses the scopes to request', async () => {
    const own = await startTokenApp({
      env: { MCP_AUTH: 'required', OAUTH_DEFAULT_SCOPES: 'openid-of-theirs' },
    })
    expect(parametersOf(await post(own.url, INITIALIZE)).scope).toBe('openid-of-theirs')
    await own.stop()
  })

  test('a page may read the challenge', async () => {
    const origin = 'http://localhost:3000'
    const answer = await post(app.url, INITIALIZE, { origin })
    expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
  })
})

test('an invalid token is named as the error, with the id of the request', async () => {
  const answer = await read(
    post(app.url, { ...INITIALIZE, id: 'mine' }, { authorization: 'Bearer x' }),
  )
  expect(answer.status).toBe(401)
  expect(parametersOf(answer)).toMatchObject({ error: 'invalid_token' })
  expect(answer.message).toMatchObject({ id: 'mine', error: { code: -32001 } })
})

describe('a token without the scope of a tool', () => {
  const few = { scope: 'mcp other:read' }

  function expectRefusal(answer: Awaited<ReturnType<typeof read>>, resource = '/mcp') {
    expect(answer.status).toBe(403)
    expect(answer.headers.get('content-type')).toContain('application/json')
    expect(parametersOf(answer)).toMatchObject({
      error: 'insufficient_scope',
      scope: 'mcp other:read service:read',
      resource_metadata: `${app.url}/.well-known/oauth-protected-resource${resource}`,
    })
    expect(answer.message).toMatchObject({
      id: 1,
      error: { message: expect.stringContaining('service'), data: { code: 'insufficient_scope' } },
    })
  }

  async function claims(scope: string) {
    const given = { ...app.issuer.claims(`${app.url}/mcp`), scope }
    return { authorization: `Bearer ${await app.issuer.sign(given)}` }
  }

  test('is challenged on /mcp, in both eras', async () => {
    const headers = await claims(few.scope)
    expectRefusal(await read(postModern(app.url, 'tools/call', SERVICE, { headers })))
    const { headers: opened } = await read(post(app.url, INITIALIZE, headers))
    const connection = { ...headers, 'mcp-session-id': opened.get('mcp-session-id') ?? '' }
    expectRefusal(await read(post(app.url, request('tools/call', SERVICE), connection)))
  })

  test('is challenged on /http and on /messages', async () => {
    const headers = { ...(await claims(few.scope)), 'content-type': 'application/json' }
    const body = JSON.stringify(request('tools/call', SERVICE))
    const options = { method: 'POST', headers, body }
    expectRefusal(await read(fetch(`${app.url}/http`, options)), '/http')
    const stream = await listen(`${app.url}/sse`, { authorization: headers.authorization })
    const { data } = await stream.until(({ event }) => event === 'endpoint')
    expectRefusal(await read(fetch(app.url + data, options)), '/sse')
    stream.close()
  })

  test('may call other tools', async () => {
    const headers = await claims('')
    const params = { name: 'session', arguments: {} }
    const { status } = await read(postModern(app.url, 'tools/call', params, { headers }))
    expect(status).toBe(200)
  })
})
