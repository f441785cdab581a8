/**
 * `protocols`: without 2025-11-25 its clients are refused with the reason, and its routes are gone.
 */

import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { expect, test } from 'vitest'
import { connectClient } from '../support/clients.ts'
import { INITIALIZE, post, postModern, read } from '../support/wire.ts'
import { fetchText, pageOf, routeLabels, serve } from './served.ts'

test('the 2026 era only', async () => {
  const app = await serve({ protocols: ['2026-07-28'] })

  const initialize = await read(post(app.url, INITIALIZE))
  expect(initialize.status).toBe(400)
  expect(initialize.message.error?.data).toMatchObject({ supported: ['2026-07-28'] })
  expect(initialize.headers.has('mcp-session-id')).toBe(false)
  for (const method of ['GET', 'DELETE', 'HEAD', 'PUT']) {
    const { status, headers } = await fetchText(`${app.url}/mcp`, { method })
    expect([status, headers.get('allow')]).toEqual([405, 'POST'])
  }
  for (const path of ['/sse', '/messages', '/.well-known/oauth-protected-resource/sse']) {
    expect((await fetchText(app.url + path)).status).toBe(404)
  }

  const discovered = await read(postModern(app.url, 'server/discover'))
  expect(discovered.message.result).toMatchObject({ supportedVersions: ['2026-07-28'] })
  const { client } = await connectClient(app.url, '2026-07-28')
  expect((await client.listTools()).tools.length).toBeGreaterThan(0)
  await client.close()

  const { text } = await pageOf(app)
  expect(text).not.toMatch(/2025-11-25|mcp-remote|\/sse/)
  expect(await routeLabels(app)).not.toContain('/sse')
})

test('an older client gets the supported revisions', async () => {
  const app = await serve({ protocols: ['2026-07-28'] })
  const transport = new StreamableHTTPClientTransport(new URL(`${app.url}/mcp`))
  const client = new ClientV1({ name: 'old', version: '1' })
  await expect(client.connect(transport)).rejects.toThrow('2026-07-28')
})

test('both eras are the default', async () => {
  const app = await serve({ protocols: ['2026-07-28', '2025-11-25'] })
  expect((await read(post(app.url, INITIALIZE))).status).toBe(200)
  expect((await pageOf(app)).text).toContain('2026-07-28, and 2025-11-25 and earlier')
})
