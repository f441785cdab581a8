/** URLs with a trailing slash, as people paste them: endpoints, metadata, challenges, tokens. */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { createPerson } from '../support/oauth-person.ts'
import { withToken } from '../support/token-app.ts'
import { INITIALIZE } from '../support/wire.ts'

const METADATA = '/.well-known/oauth-protected-resource'
let app: TestApp
beforeAll(async () => {
  app = await startApp({ env: { MCP_AUTH: 'required', LOGIN: 'on-demand', RATE_LIMIT: 'off' } })
})
afterAll(() => app.stop())

const send = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(app.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(INITIALIZE),
  })

test.each(['/mcp/', '/http/', '/sse/'])(
  '%s challenges with metadata of that spelling',
  async (path) => {
    const response = path === '/sse/' ? await fetch(app.url + path) : await send(path)
    expect(response.status).toBe(401)
    const metadataUrl = `${app.url}${METADATA}${path}`
    expect(response.headers.get('www-authenticate')).toContain(`"${metadataUrl}"`)
    const metadata = await fetch(metadataUrl)
    expect(metadata.headers.get('access-control-allow-origin')).toBe('*')
    // RFC 9728, 3.3: strict clients compare it with their configured URL.
    expect(await metadata.json()).toMatchObject({ resource: app.url + path })
  },
)

test('one token is valid with and without the slash', async () => {
  for (const path of ['/mcp', '/mcp/', '/sse/', '/http/']) {
    const client = await createOAuthClient(app.url)
    const resource = app.url + path
    const { status, body } = await client.exchange(await client.authorize({ resource }), {
      resource,
    })
    expect(status).toBe(200)
    const headers = withToken(String(body.access_token))
    for (const endpoint of ['/mcp', '/mcp/']) {
      const answer = await send(endpoint, headers)
      expect(answer.status).toBe(200)
    }
    const streams = await fetch(`${app.url}/sse/`, { headers })
    expect([streams.status, streams.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream',
    ])
    await streams.body?.cancel()
  }
})

test('an official client with the slash in its URL signs in and calls', async () => {
  const person = createPerson()
  const options = { authProvider: person.provider }
  const address = new URL(`${app.url}/mcp/`)
  const transport = new StreamableHTTPClientTransport(address, options)
  const client = new Client({ name: 'slash', version: '1' })
  await expect(client.connect(transport)).rejects.toThrow()
  await transport.finishAuth(await person.authorizeClient())
  const again = new Client({ name: 'slash', version: '1' })
  await again.connect(new StreamableHTTPClientTransport(address, options))
  expect((await again.listTools()).tools).not.toEqual([])
  await again.close()
})

test.each(['/mcp//', '/livez/', '/messages/', '/token/', `${METADATA}/`])(
  '%s is not found',
  async (path) => {
    expect((await fetch(app.url + path)).status).toBe(404)
  },
)
