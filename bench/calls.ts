/** The benchmark's call, in the form for each contestant. */

import type { LiveSessions } from './live-sessions.ts'
import type { Call } from './load.ts'

const TEXT = 'hello, world'
const NAMED = { name: 'echo', arguments: { text: TEXT } }

/**
 * The expected text as escaped JSON, which differs from the request, so that an echo does not
 * match.
 */
const EXPECT = JSON.stringify(JSON.stringify({ text: TEXT })).slice(1, -1)

const JSON_IN = { 'content-type': 'application/json' }
const BOTH = { ...JSON_IN, accept: 'application/json, text/event-stream' }

const LEGACY_BODY = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: NAMED }

const MODERN_HEADERS = {
  ...BOTH,
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
}

const MODERN_BODY = {
  ...LEGACY_BODY,
  params: {
    ...NAMED,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
}

type MakeCall = (port: number) => Call

const at = (port: number, path: string) => `http://127.0.0.1:${port}${path}`

function call(path: string, headers: Call['headers'], body: object, callers?: Call['callers']) {
  return (port: number): Call => ({
    ...{ url: at(port, path), headers, body: JSON.stringify(body), expect: EXPECT },
    ...(callers !== undefined && { callers }),
  })
}

/** A request of the 2026 era, by callers without a token. */
export const modern: MakeCall = call('/mcp', MODERN_HEADERS, MODERN_BODY)

/** A 2025-era request without an MCP session, which stateless peers answer. */
export function stateless(revision: string): MakeCall {
  return call('/mcp', { ...BOTH, 'mcp-protocol-version': revision }, LEGACY_BODY)
}

/** The same as `modern`, with a token. */
export function modernWithToken(bearers: string): MakeCall {
  return call('/mcp', MODERN_HEADERS, MODERN_BODY, { file: bearers, columns: ['authorization'] })
}

const LEGACY_HEADERS = { ...BOTH, 'mcp-protocol-version': '2025-11-25' }

export function legacy({ connectionsWithout: file }: LiveSessions): MakeCall {
  return call('/mcp', LEGACY_HEADERS, LEGACY_BODY, { file, columns: ['mcp-session-id'] })
}

export function legacyWithToken({ connectionsWithToken: file }: LiveSessions): MakeCall {
  const columns = ['authorization', 'mcp-session-id']
  return call('/mcp', LEGACY_HEADERS, LEGACY_BODY, { file, columns })
}

export function direct({ bearers: file }: LiveSessions): MakeCall {
  const body = { method: 'tools/call', params: NAMED }
  return call('/http', JSON_IN, body, { file, columns: ['authorization'] })
}
