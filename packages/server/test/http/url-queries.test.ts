/** URLs of the server with a query, as people configure them: metadata, challenges, tokens. */

import { request } from 'node:http'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { startExternalIssuer } from '../support/external-issuer.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { createPerson } from '../support/oauth-person.ts'
import { withToken } from '../support/token-app.ts'
import { INITIALIZE } from '../support/wire.ts'

const METADATA = '/.well-known/oauth-protected-resource'
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}
let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { MCP_AUTH: 'required', LOGIN: 'on-demand', RATE_LIMIT: 'off' } })
})
afterAll(() => app.stop())

const send = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: JSON.stringify(INITIALIZE),
  })

const ask = (path: string) =>
  path.startsWith('/sse') ? fetch(app.url + path) : send(app.url + path)

/** The `resource_metadata` of a challenge. */
const metadataUrlIn = (challenge: string | null | undefined) =>
  /resource_metadata="([^"]+)"/.exec(challenge ?? '')?.[1]

describe('without a token', () => {
  test.each([
    '/mcp?utm_source=plugin',
    '/mcp/?kb_name=x&mode=%2Ffast',
    '/http?tenant=a%20b',
    '/sse?tenant=1',
  ])('%s is the resource that the challenge leads to (RFC 9728, 3.3)', async (path) => {
    const response = await ask(path)
    expect(response.status).toBe(401)
    const metadataUrl = metadataUrlIn(response.headers.get('www-authenticate'))
    expect(metadataUrl).toBe(app.url + METADATA + path)
    const metadata = await (await fetch(String(metadataUrl))).json()
    expect(metadata).toMatchObject({ resource: app.url + path })
  })

  test.each([
    ['a session of its own', '/sse?session_id=ses_x', '/sse'],
    ['a session among others', '/sse?a=1&session_id=ses_x', '/sse'],
    ['no query at all', '/mcp?', '/mcp'],
    ['a long query', `/mcp?q=${'q'.repeat(2000)}`, '/mcp'],
  ])('%s is not repeated', async (_what, path, plain) => {
    const response = await ask(path)
    const metadataUrl = metadataUrlIn(response.headers.get('www-authenticate'))
    expect(metadataUrl).toBe(app.url + METADATA + plain)
    const metadata = await (await fetch(`${app.url}${METADATA}${path}`)).json()
    expect(metadata).toMatchObject({ resource: app.url + plain })
  })

  test.each(['"', '\\', '|', '^', '<'])('nor is a %s, which a header cannot hold', async (sign) => {
    const challenge = await new Promise<string | undefined>((resolve, reject) => {
      const { port } = new URL(app.url)
      const path = `/mcp?a=${sign},x="y`
      request({ port, path, method: 'GET', headers: { host: new URL(app.url).host } })
        .on('response', (response) => {
          response.resume()
          resolve(response.headers['www-authenticate'])
        })
        .on('error', reject)
        .end()
    })
    expect(metadataUrlIn(challenge)).toBe(`${app.url}${METADATA}/mcp`)
  })

  test('no cache keeps metadata that repeats it', async () => {
    const cacheControl = async (query: string) => {
      const { headers } = await fetch(`${app.url}/.well-known/oauth-protected-resource/mcp${query}`)
      return headers.get('cache-control')
    }
    expect(await cacheControl('?tenant=1')).toBe('no-store')
    expect(await cacheControl('')).toBe('public, max-age=3600')
  })

  test('the metadata of the whole host ignores it', async () => {
    const metadata = await (await fetch(`${app.url}${METADATA}?utm_source=plugin`)).json()
    expect(metadata).toMatchObject({ resource: `${app.url}/mcp` })
  })
})

test('a resource with a query is the one without it, in all requests', async () => {
  const client = await createOAuthClient(app.url)
  const asked = { resource: `${app.url}/mcp?utm_source=plugin` }
  const { status, body } = await client.exchange(await client.authorize(asked), {
    resource: `${app.url}/mcp`,
  })
  expect(status).toBe(200)
  const other = { resource: `${app.url}/mcp/?codemode=false` }
  const refreshed = await client.refresh(String(body.refresh_token), other)
  expect(refreshed).toMatchObject({ status: 200 })
  for (const path of ['/mcp', '/mcp?codemode=false', '/http?a=b']) {
    const answer = await send(app.url + path, withToken(String(refreshed.body.access_token)))
    expect(answer.status).toBe(200)
  }
})

test.each(['/mcp#part', '/mcp?a=b#part', '/mcpx?a=b', '/other?/mcp'])(
  'a resource %s is refused',
  async (path) => {
    const client = await createOAuthClient(app.url)
    const { page } = await client.openConsent({ resource: app.url + path })
    expect(page.url.searchParams.get('error')).toBe('invalid_target')
  },
)

test('an official client that was given a query signs in and calls', async () => {
  const person = createPerson()
  const options = { authProvider: person.provider }
  const address = new URL(`${app.url}/mcp?kb_name=test`)
  const transport = new StreamableHTTPClientTransport(address, options)
  const client = new Client({ name: 'query', version: '1' })
  await expect(client.connect(transport)).rejects.toThrow()
  await transport.finishAuth(await person.authorizeClient())
  const again = new Client({ name: 'query', version: '1' })
  await again.connect(new StreamableHTTPClientTransport(address, options))
  expect((await again.listTools()).tools).not.toEqual([])
  await again.close()
})

test('an external issuer may refuse a query: the resource is named without it', async () => {
  const issuer = await startExternalIssuer()
  const external = await startApp({ env: { OAUTH_ISSUER: issuer.url, MCP_AUTH: 'required' } })
  try {
    const response = await send(`${external.url}/mcp?utm_source=plugin`)
    const metadataUrl = metadataUrlIn(response.headers.get('www-authenticate'))
    expect(metadataUrl).toBe(`${external.url}${METADATA}/mcp`)
    const metadata = await (await fetch(`${metadataUrl}?utm_source=plugin`)).json()
    expect(metadata).toMatchObject({ resource: `${external.url}/mcp` })
  } finally {
    await external.stop()
    await issuer.stop()
  }
})
