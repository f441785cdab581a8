/** Checks the project's server with an official client. */

import assert from 'node:assert/strict'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** Lists the tools, calls the added one, and returns a sign-in link. */
export async function listTools(url: string, era: '2025-11-25' | '2026-07-28'): Promise<string> {
  const mode = era === '2026-07-28' ? { pin: era } : 'legacy'
  const client = new Client(
    { name: 'fresh-project', version: '1.0.0' },
    { versionNegotiation: { mode } },
  )
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)))
  try {
    assert.equal(client.getNegotiatedProtocolVersion(), era)
    const { name, title, version } = client.getServerVersion() ?? {}
    assert.deepEqual([name, title, version], ['acme-desk', 'Acme Desk', '0.1.0'])
    const { tools } = await client.listTools()
    const names = tools.map((tool) => tool.name).sort()
    assert.deepEqual(names, ['login', 'logout', 'refunds', 'session'])
    const answer = await client.callTool({ name: 'refunds', arguments: { name: 'Ada' } })
    assert.deepEqual(answer.structuredContent, { greeting: 'Hello, Ada!' })
    const login = await client.callTool({ name: 'login', arguments: {} })
    return (login.structuredContent as { url: string }).url
  } finally {
    await client.close()
  }
}
