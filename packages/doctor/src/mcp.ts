/** The protocol without the SDK, for checks of single requests. */

import { type Answer, ask, postJson } from './http.ts'
import type { Visit } from './visit.ts'

const META = 'io.modelcontextprotocol'
const ABOUT = { name: 'doctor', version: '1.0.0' }

export type HeaderFields = Readonly<Record<string, string>>

/** The `Authorization` header, if there is a token. */
export function authorization({ facts }: Visit): HeaderFields {
  return facts.accessToken === undefined ? {} : { authorization: `Bearer ${facts.accessToken}` }
}

/** 2025-11-25, basic/lifecycle. */
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: ABOUT },
}

export const PING = { jsonrpc: '2.0', id: 2, method: 'ping' }

export interface OpenConnection {
  /** The headers of all subsequent requests. */
  readonly headers: HeaderFields
  end(): Promise<void>
}

/** Opens an MCP session (2025 era); returns the response if the handshake fails. */
export async function connect(visit: Visit): Promise<OpenConnection | Answer> {
  const url = `${visit.base}/mcp`
  const answer = await postJson(url, INITIALIZE, authorization(visit))
  const id = answer.headers.get('mcp-session-id')
  if (answer.status !== 200 || id === null) return answer
  const headers = {
    ...authorization(visit),
    'mcp-session-id': id,
    'mcp-protocol-version': '2025-11-25',
  }
  return {
    headers,
    end: async () => void (await ask(url, { method: 'DELETE', headers }).catch(() => undefined)),
  }
}

/** The headers and body of a 2026-era request (2026-07-28, basic/transports). */
export function modernRequest(method: string, params: object) {
  const _meta = {
    [`${META}/protocolVersion`]: '2026-07-28',
    [`${META}/clientInfo`]: ABOUT,
    [`${META}/clientCapabilities`]: {},
  }
  return {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
    body: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } },
  }
}
