/** `name`, `title`, `version` and `branding`: people, clients and the API see those of the project. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, SSEClientTransport } from '@modelcontextprotocol/client'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineServer } from '../../src/define-server.ts'
import { openProject } from '../../src/project.ts'
import type { TestApp } from '../support/app.ts'
import { connectClient, ERAS, structured } from '../support/clients.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'
import { fetchText, pageOf, serve } from './served.ts'

const SERVER = {
  name: 'acme-desk',
  title: 'Acme Desk',
  version: '3.2.1',
  branding: { color: '#0b7285', logo: 'logo.svg', supportUrl: 'https://acme.example/help' },
}
let app: TestApp
beforeAll(async () => {
  app = await serve(SERVER)
})

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo'

function infoOf(url: string) {
  const icons = [{ src: `${url}/logo`, mimeType: 'image/svg+xml' }]
  return { name: 'acme-desk', title: 'Acme Desk', version: '3.2.1', icons }
}

const call = (client: Client, name: string) => client.callTool({ name, arguments: {} })

describe('clients get the same description of the server', () => {
  test.each(ERAS)('by the client, %s', async (era) => {
    const { client } = await connectClient(app.url, era)
    expect(client.getServerVersion()).toEqual(infoOf(app.url))
    await client.close()
  })

  test('in every answer of 2026-07-28, from the SDK and by the fast path', async () => {
    const callWith = async (meta = {}) => {
      const params = { name: 'session', arguments: {} }
      const { message } = await read(postModern(app.url, 'tools/call', params, { meta }))
      return (message as { result: { _meta: Record<string, unknown> } }).result._meta[SERVER_INFO]
    }
    const given = [await callWith(), await callWith(), await callWith({ progressToken: 'p' })]
    expect(given).toEqual(Array(3).fill(infoOf(app.url)))
    const { message } = await read(postModern(app.url, 'server/discover'))
    expect(message).toMatchObject({ result: { _meta: { [SERVER_INFO]: infoOf(app.url) } } })
  })

  test('over /sse', async () => {
    const client = new Client({ name: 'test', version: '1.0.0' })
    await client.connect(new SSEClientTransport(new URL(`${app.url}/sse`)))
    expect(client.getServerVersion()).toEqual(infoOf(app.url))
    await client.close()
  })
})

describe('pages', () => {
  const looksLikeAcme = (page: Awaited<ReturnType<typeof fetchText>>) => {
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.text).toContain('Acme Desk')
    expect(page.text).toContain('<img src="/logo" alt="">')
    expect(page.text).toContain('--accent: #0b7285')
    expect(page.text).toContain('href="https://acme.example/help"')
    expect(page.text).not.toContain('data-initial="')
    const policy = page.headers.get('content-security-policy')
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; img-src 'self'; /)
  }

  test('show title, colour and logo: landing, sign-in, errors, result', async () => {
    looksLikeAcme(await pageOf(app))
    const html = { headers: { accept: 'text/html' } }
    looksLikeAcme(await fetchText(`${app.url}/connect/lnk_none`, html))
    looksLikeAcme(await fetchText(`${app.url}/authorize?client_id=nobody`, html))
    const { client } = await connectClient(app.url, '2025-11-25')
    const link = structured<SignInLink>(await call(client, 'login'))
    looksLikeAcme(await fetchText(link.url, html))
    const { text } = await signInAs(newBrowser(), link)
    expect(text).toContain('Login successful')
    expect(text).toContain('<img src="/logo" alt="">')
    await client.close()
  })

  test('without a logo show an initial, load no image, and there is no /logo', async () => {
    const plain = await serve({ ...SERVER, branding: {} })
    const { text, headers } = await pageOf(plain)
    expect(text).toContain('data-initial="A"')
    expect(headers.get('content-security-policy')).not.toContain('img-src')
    expect((await fetchText(`${plain.url}/logo`)).status).toBe(404)
  })

  test('the logo runs no scripts, is embeddable, and public', async () => {
    const closed = await serve(SERVER, { MCP_AUTH: 'required' })
    const { status, headers, text } = await fetchText(`${closed.url}/logo`)
    expect([status, headers.get('content-type')]).toEqual([200, 'image/svg+xml'])
    expect(text).toContain('<circle')
    expect(headers.get('content-security-policy')).toContain('sandbox')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    expect((await fetchText(`${closed.url}/logo`, { method: 'POST' })).status).toBe(405)
  })
})

test('calls to the API have the name and version of the project', async () => {
  const agents: (string | undefined)[] = []
  const demoApi = new Hono().all('*', (c) => {
    agents.push(c.req.header('user-agent'))
    return c.json({})
  })
  const own = await serve(SERVER, {}, { demoApi })
  const { client } = await connectClient(own.url, '2025-11-25')
  await signInAs(newBrowser(), structured<SignInLink>(await call(client, 'login')))
  await call(client, 'service')
  expect(agents).toEqual(['acme-desk/3.2.1'])
  await client.close()
})

describe('a logo that cannot be used', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logo-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each([
    ['none.svg', 'branding.logo: there is no file none.svg'],
    ['server.mjs', 'branding.logo must be an SVG, PNG, JPEG or WebP file, such as logo.svg'],
    ['empty.png', 'branding.logo must have between 1 byte and 256 KiB'],
    ['large.webp', 'branding.logo must have between 1 byte and 256 KiB'],
  ])('prevents the start with one sentence: %s', async (logo, message) => {
    const project = mkdtempSync(join(folder, 'project-'))
    writeFileSync(join(project, 'empty.png'), '')
    writeFileSync(join(project, 'large.webp'), Buffer.alloc(256 * 1024 + 1))
    const server = JSON.stringify({ name: 'acme', branding: { logo } })
    writeFileSync(join(project, 'server.mjs'), `export default ${server}`)
    await expect(openProject(project)).rejects.toThrow(message)
  })

  test.each([7, ''])('is refused in its declaration: %j', (logo) => {
    const branding = { logo } as { logo: string }
    expect(() => defineServer({ name: 'acme', branding })).toThrow('branding.logo must be the path')
  })
})
