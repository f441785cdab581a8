/**
 * Calls a tool as the official clients do: in both eras, over the older transport, and without the
 * protocol.
 */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { type Finding, ok, skipped, wrong } from '../findings.ts'
import { freshFetch, postJson, within } from '../http.ts'
import { authorization } from '../mcp.ts'
import { noAccess } from '../needs.ts'
import { reasonOf } from '../reasons.ts'
import type { Check, Visit } from '../visit.ts'

const PATIENCE_MS = 10_000

/** Read-only; forks may lack a tool of that name. */
const HARMLESS = 'session'

const ABOUT = { name: 'doctor', version: '1.0.0' }

export const tools: Check = {
  id: 'tools',
  title: 'Calling a tool',
  async run(visit) {
    const obstacle = noAccess(visit)
    if (obstacle !== undefined) return [obstacle]
    return [
      await attempt('2026-07-28 at /mcp', () => current(visit, { pin: '2026-07-28' })),
      await attempt('2025-11-25 at /mcp', () => current(visit, 'legacy')),
      await older(visit),
      await direct(visit),
    ]
  },
}

async function attempt(what: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return ok(`${what}: ${await work()}.`)
  } catch (error) {
    const { what: why } = reasonOf(error)
    return wrong(
      `${what}: ${why}`,
      'If the stream does not open, turn buffering off at the proxy (nginx `proxy_buffering off;`). On several nodes: one Redis, and the same ENCRYPTION_KEY and JWT_SECRET.',
    )
  }
}

/** The current official client. */
async function current(
  visit: Visit,
  mode: 'legacy' | { readonly pin: '2026-07-28' },
): Promise<string> {
  const { facts } = visit
  const client = new Client(ABOUT, { versionNegotiation: { mode } })
  const transport = new StreamableHTTPClientTransport(new URL(`${visit.base}/mcp`), {
    fetch: freshFetch,
    requestInit: { headers: { ...authorization(visit) } },
  })
  try {
    return await inTime(async () => {
      await client.connect(transport)
      const { tools: listed } = await client.listTools()
      facts.toolNames = listed.map(({ name }) => name)
      const said = await callHarmless(facts.toolNames, (name) =>
        client.callTool({ name, arguments: {} }),
      )
      if (mode === 'legacy') await transport.terminateSession()
      return said
    })
  } finally {
    await client.close()
  }
}

/** The client and the transport before 2025-03-26. */
async function older(visit: Visit): Promise<Finding> {
  const { status } = await postJson(`${visit.base}/messages`, {}, authorization(visit))
  if (status === 404) return skipped('/sse is not there.')
  return attempt('2024-11-05 at /sse', async () => {
    const client = new OlderClient(ABOUT)
    const send = (url: string | URL, init?: RequestInit) =>
      freshFetch(url, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init?.headers)), ...authorization(visit) },
      })
    const transport = new SSEClientTransport(new URL(`${visit.base}/sse`), { fetch: send })
    try {
      return await inTime(async () => {
        await client.connect(transport as Parameters<typeof client.connect>[0])
        const { tools: listed } = await client.listTools()
        const names = listed.map(({ name }) => name)
        return callHarmless(names, (name) => client.callTool({ name, arguments: {} }))
      })
    } finally {
      await client.close()
    }
  })
}

/** `/http`, for scripts. */
async function direct(visit: Visit): Promise<Finding> {
  if (visit.facts.accessToken === undefined) return skipped('/http requires a token.')
  const { status } = await postJson(
    `${visit.base}/http`,
    { method: 'tools/list', params: {} },
    authorization(visit),
  )
  if (status === 404) return skipped('/http is not there.')
  if (status === 200) return ok('Without the protocol at /http: tools are listed.')
  return wrong(`Without the protocol at /http: ${status}.`, 'Pass JSON through unchanged.')
}

/** Applies a time limit; its callers then close the client, which aborts pending requests. */
function inTime(work: () => Promise<string>): Promise<string> {
  return within(PATIENCE_MS, 'The client', work())
}

async function callHarmless(
  names: readonly string[],
  call: (name: string) => Promise<object>,
): Promise<string> {
  if (!names.includes(HARMLESS)) return `${names.length} tools are listed`
  const result = await call(HARMLESS)
  if ('isError' in result && result.isError === true) throw new Error(`the tool ${HARMLESS} failed`)
  return `${names.length} tools are listed, and \`${HARMLESS}\` answers`
}
