/** The official clients discover, register, are authorized and call tools, starting from a URL. */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { expect, onTestFinished, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { ERAS } from '../support/clients.ts'
import { REDIRECT_URI } from '../support/oauth-client.ts'
import { start } from './authorization-apps.ts'

/** Stores the client's OAuth data, and grants consent as a user would. */
function createAuthProvider() {
  const stored: Record<string, unknown> = {}
  let code: string | undefined
  return {
    stored,
    code: () => code ?? '',
    redirectUrl: REDIRECT_URI,
    clientMetadata: {
      client_name: 'An official client',
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => stored.client as never,
    saveClientInformation: (client: unknown) => void Object.assign(stored, { client }),
    tokens: () => stored.tokens as never,
    saveTokens: (tokens: unknown) => void Object.assign(stored, { tokens }),
    discoveryState: () => stored.discovery as never,
    saveDiscoveryState: (discovery: unknown) => void Object.assign(stored, { discovery }),
    codeVerifier: () => String(stored.verifier),
    saveCodeVerifier: (verifier: string) => void Object.assign(stored, { verifier }),
    async redirectToAuthorization(url: URL) {
      const browser = createBrowser(REDIRECT_URI)
      const page = await browser.open(url)
      const { url: called } = await browser.open(page.url, { decision: 'allow' })
      code = called.searchParams.get('code') ?? undefined
    },
  }
}

test.each(ERAS)('v2 in %s', async (era) => {
  const app = await start({ env: { MCP_AUTH: 'required' } })
  const authProvider = createAuthProvider()
  const mode = era === '2026-07-28' ? { pin: era } : 'legacy'
  const newClient = () =>
    new Client({ name: 'official', version: '1' }, { versionNegotiation: { mode } })
  const transport = () =>
    new StreamableHTTPClientTransport(new URL(`${app.url}/mcp`), { authProvider })
  const first = transport()
  await expect(newClient().connect(first)).rejects.toThrow()
  await first.finishAuth(new URLSearchParams({ code: authProvider.code(), iss: app.url }))
  const client = newClient()
  await client.connect(transport())
  onTestFinished(() => client.close())
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('service')
  expect(authProvider.stored.tokens).toHaveProperty('refresh_token')
})

test('v1', async () => {
  const app = await start({ env: { MCP_AUTH: 'required' } })
  const authProvider = createAuthProvider()
  const transport = () => new TransportV1(new URL(`${app.url}/mcp`), { authProvider })
  const first = transport()
  const newClient = () => new ClientV1({ name: 'official', version: '1' })
  type Connected = Parameters<ClientV1['connect']>[0]
  await expect(newClient().connect(first as Connected)).rejects.toThrow()
  await first.finishAuth(authProvider.code())
  const client = newClient()
  await client.connect(transport() as Connected)
  onTestFinished(() => client.close())
  expect((await client.listTools()).tools).not.toHaveLength(0)
})
