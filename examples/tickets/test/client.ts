/** Simulates a user with the official client: fills in forms, and opens the sign-in page. */

import type { TestServer } from '@mcp-template/server/testing'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

export const ERAS = ['2026-07-28', '2025-11-25'] as const

/** Connects to the nodes in turn. */
export async function connect(
  nodes: readonly TestServer[],
  era: (typeof ERAS)[number],
  token: string,
) {
  const [first] = nodes
  if (first === undefined) throw new RangeError('There is no node')
  const questions: string[] = []
  const client = new Client(
    { name: 'desk', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: {}, url: {} } },
      versionNegotiation: { mode: era === '2026-07-28' ? { pin: era } : 'legacy' },
    },
  )
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    questions.push(params.message)
    if (!('url' in params)) return { action: 'accept', content: { urgent: true } }
    const [code = ''] = /[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(params.message) ?? []
    await first.signIn({ url: params.url, code })
    return { action: 'accept' }
  })
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  let requests = 0
  const inTurn: typeof fetch = (_url, init) => {
    const node = nodes[requests % nodes.length] ?? first
    requests += 1
    return fetch(`${node.url}/mcp`, init)
  }
  const transport = new StreamableHTTPClientTransport(new URL(`${first.url}/mcp`), {
    ...{ requestInit, fetch: inTurn },
  })
  await client.connect(transport)
  return { client, questions }
}
