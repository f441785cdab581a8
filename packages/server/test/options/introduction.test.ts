/** The server's description in a declaration reaches clients in both eras, on every path, and people. */

import { Client, SSEClientTransport } from '@modelcontextprotocol/client'
import { beforeAll, describe, expect, test } from 'vitest'
import { defineServer, type ServerDefinition } from '../../src/define-server.ts'
import type { TestApp } from '../support/app.ts'
import { consentPage } from '../support/authorize-again.ts'
import { connectClient, connectClientV1, ERAS } from '../support/clients.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { newBrowser } from '../support/sign-in.ts'
import { connect, INITIALIZE, post, postModern, read } from '../support/wire.ts'
import { serve } from './served.ts'

const ICON = { src: 'https://acme.example/icon.png', mimeType: 'image/png', sizes: ['48x48'] }
const SERVER: ServerDefinition = {
  name: 'acme-desk',
  title: 'Acme Desk',
  version: '3.2.1',
  description: 'Tickets of Acme.',
  instructions: '  Search before you create.\n',
  websiteUrl: 'https://acme.example',
  icons: [ICON],
  branding: { logo: 'logo.svg' },
  scopes: { 'service:read': 'Read <your> accounts' },
}
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo'

let app: TestApp
beforeAll(async () => {
  app = await serve(SERVER)
})

const infoOf = (url: string) => ({
  ...{ name: 'acme-desk', title: 'Acme Desk', version: '3.2.1', description: 'Tickets of Acme.' },
  websiteUrl: 'https://acme.example',
  icons: [{ src: `${url}/logo`, mimeType: 'image/svg+xml' }, ICON],
})
const INSTRUCTIONS = 'Search before you create.'

describe('clients read it', () => {
  test.each(ERAS)('by the client, %s', async (era) => {
    const { client } = await connectClient(app.url, era)
    expect(client.getServerVersion()).toEqual(infoOf(app.url))
    expect(client.getInstructions()).toBe(INSTRUCTIONS)
    await client.close()
  })

  test('by the client v1, and over /sse', async () => {
    const v1 = await connectClientV1(app.url)
    const sse = new Client({ name: 'test', version: '1.0.0' })
    await sse.connect(new SSEClientTransport(new URL(`${app.url}/sse`)))
    for (const client of [v1, sse]) {
      expect(client.getServerVersion()).toEqual(infoOf(app.url))
      expect(client.getInstructions()).toBe(INSTRUCTIONS)
      await client.close()
    }
  })

  test('in initialize and server/discover', async () => {
    const { message: initialized } = await read(post(app.url, INITIALIZE))
    expect(initialized.result).toMatchObject({
      serverInfo: infoOf(app.url),
      instructions: INSTRUCTIONS,
    })
    const { message: discovered } = await read(postModern(app.url, 'server/discover'))
    expect(discovered.result).toMatchObject({
      instructions: INSTRUCTIONS,
      _meta: { [SERVER_INFO]: infoOf(app.url) },
    })
  })

  test('in answers of 2026-07-28, from the SDK and by the fast path', async () => {
    for (const meta of [{}, {}, { progressToken: 'p' }]) {
      const params = { name: 'session', arguments: {} }
      const { message } = await read(postModern(app.url, 'tools/call', params, { meta }))
      expect(message.result?._meta).toMatchObject({ [SERVER_INFO]: infoOf(app.url) })
    }
  })

  test('and nothing if nothing is declared', async () => {
    const plain = await serve({ name: 'plain' })
    const { message } = await read(post(plain.url, INITIALIZE))
    expect(message.result).not.toHaveProperty('instructions')
    expect(Object.keys(message.result?.serverInfo as object)).toEqual(['name', 'version', 'title'])
    expect(await connect(plain.url)).toBeDefined()
  })
})

test('the consent page has the description of a scope beside its name', async () => {
  const client = await createOAuthClient(app.url)
  const { page } = await consentPage(client, newBrowser(), { scope: 'mcp service:read' })
  expect(page.text).toContain('Read &lt;your&gt; accounts <code>service:read</code>')
  expect(page.text).toContain('<li><code>mcp</code></li>')
})

describe('a declaration is refused', () => {
  test.each([
    [{ instructions: '' }, 'instructions must be'],
    [{ instructions: 'x'.repeat(2049) }, 'instructions must be'],
    [{ websiteUrl: 'acme.example' }, 'websiteUrl must be'],
    [{ description: 5 }, 'description must be'],
    [{ description: 'a', branding: { description: 'b' } }, 'description conflicts with'],
    [{ icons: [{ src: 'icon.png' }] }, 'icons must be'],
    [{ icons: [{ src: 'javascript:alert(1)' }] }, 'icons must be'],
    [{ icons: [{ src: `data:image/png;base64,${'A'.repeat(16_384)}` }] }, 'icons must be'],
    [{ scopes: { 'a b': 'Two' } }, 'scopes must be'],
    [{ scopes: { a: '' } }, 'scopes must be'],
    [{ extensions: [{}] }, 'extensions must be'],
    [{ instruction: 'x' }, 'instruction is not an option'],
  ])('%j', (further, fault) => {
    const declare = () => defineServer({ name: 'acme-desk', ...(further as object) })
    expect(declare).toThrow(fault)
  })
})
