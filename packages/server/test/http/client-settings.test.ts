/** The settings for clients: in each client's format, with the URL of this server. */

import { describe, expect, test } from 'vitest'
import {
  type ClientSettings,
  clientSettings,
  settingsName,
} from '../../src/http/pages/client-settings.ts'

const HERE = { name: 'Example Bank', url: 'http://localhost:6901/mcp', tokenRequired: false }
const ONLINE = { ...HERE, url: 'https://mcp.example.com/mcp', tokenRequired: true }

function settingsOf(client: string, server = ONLINE): ClientSettings {
  const found = clientSettings(server).find((settings) => settings.client === client)
  return found ?? expect.fail(`no settings for ${client}`)
}

function snippets({ steps }: ClientSettings, language: string): string[] {
  return steps.flatMap((step) =>
    typeof step !== 'string' && step.language === language ? [step.code] : [],
  )
}

const prose = ({ steps }: ClientSettings) => steps.filter((step) => typeof step === 'string').join()

describe('links into clients', () => {
  test('give Cursor the same settings as its file', () => {
    const cursor = settingsOf('Cursor')
    const link = new URL(cursor.link?.href ?? '')
    expect(link.href).toMatch(/^cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install\?/)
    const name = link.searchParams.get('name') ?? ''
    const config = Buffer.from(link.searchParams.get('config') ?? '', 'base64').toString()
    expect({ mcpServers: { [name]: JSON.parse(config) } }).toEqual(
      JSON.parse(snippets(cursor, 'json')[0] ?? ''),
    )
  })

  test('give VS Code the same settings as its file', () => {
    const code = settingsOf('VS Code')
    const [scheme, given = ''] = (code.link?.href ?? '').split('?')
    expect(scheme).toBe('vscode:mcp/install')
    const { name, ...server } = JSON.parse(decodeURIComponent(given))
    expect({ servers: { [name]: server } }).toEqual(JSON.parse(snippets(code, 'json')[0] ?? ''))
    expect(server).toEqual({ type: 'http', url: ONLINE.url })
  })

  test('give Claude name and address', () => {
    const link = new URL(settingsOf('Claude Desktop').link?.href ?? '')
    expect(link.origin).toBe('https://claude.ai')
    expect(Object.fromEntries(link.searchParams)).toEqual({
      modal: 'add-custom-connector',
      connectorName: 'Example Bank',
      connectorUrl: ONLINE.url,
    })
  })

  test('are omitted if a service on the internet could not reach the server', () => {
    for (const client of ['Claude Desktop', 'ChatGPT']) {
      expect(settingsOf(client, HERE).link).toBeUndefined()
      expect(prose(settingsOf(client, HERE))).toContain('is not reached yet')
      expect(prose(settingsOf(client))).not.toContain('is not reached yet')
    }
    expect(settingsOf('Cursor', HERE).link?.href).toContain('cursor:')
  })
})

describe('settings to copy', () => {
  test.each([HERE, ONLINE])('are JSON that names the server and its address: $url', (server) => {
    const all = clientSettings(server).flatMap((each) => snippets(each, 'json'))
    expect(all.length).toBeGreaterThanOrEqual(3)
    for (const code of all) {
      const [servers = {}] = Object.values<object>(JSON.parse(code))
      expect(Object.keys(servers)).toEqual(['example-bank'])
      expect(code.includes(server.url) || code.includes('stdio')).toBe(true)
    }
  })

  test('have Claude Desktop start a local server only', () => {
    expect(snippets(settingsOf('Claude Desktop', HERE), 'json')).toHaveLength(2)
    expect(snippets(settingsOf('Claude Desktop'), 'json')).toHaveLength(1)
  })

  test('allow http for mcp-remote only if necessary', () => {
    const url = 'http://mcp.internal.example/mcp'
    const [elsewhere = ''] = snippets(settingsOf('Claude Desktop', { ...HERE, url }), 'json')
    expect(elsewhere).toContain('"args": ["-y", "mcp-remote", "http')
    expect(elsewhere).toContain('"--allow-http"]')
    expect(snippets(settingsOf('Claude Desktop', HERE), 'json').join()).not.toContain('--allow')
  })

  test('have a placeholder for the token if the server requires one', () => {
    expect(snippets(settingsOf('curl'), 'sh').join()).toContain('Authorization: Bearer $TOKEN')
    expect(snippets(settingsOf('curl', HERE), 'sh').join()).not.toContain('TOKEN')
    expect(prose(settingsOf('ChatGPT'))).toContain('choose OAuth.')
    expect(snippets(settingsOf('Claude Code'), 'sh')).toContain('claude mcp login example-bank')
    expect(snippets(settingsOf('Claude Code', HERE), 'sh')).toHaveLength(1)
  })

  test('are quoted if a shell could interpret the URL', () => {
    const url = 'http://[::1]:6901/mcp'
    expect(snippets(settingsOf('Claude Code', { ...HERE, url }), 'sh')[0]).toBe(
      `claude mcp add --transport http example-bank '${url}'`,
    )
    const odd = "http://it's;here/mcp"
    expect(snippets(settingsOf('curl', { ...HERE, url: odd }), 'sh')[0]).toContain(
      String.raw`'http://it'\''s;here/mcp'`,
    )
  })
})

test.each([
  ['MCP Template', 'mcp-template'],
  ['  Größe & Café! ', 'gro-e-cafe'],
  ['銀行', 'mcp-server'],
  ["'; rm -rf /", 'rm-rf'],
  ['x'.repeat(100), 'x'.repeat(48)],
  [`${'x'.repeat(47)} and more`, 'x'.repeat(47)],
])('%s has the key %s in settings', (name, key) => {
  expect(settingsName(name)).toBe(key)
})
