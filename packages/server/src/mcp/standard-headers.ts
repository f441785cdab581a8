/** The headers that repeat what a message of the 2026 era says (SEP-2243), and what they make of it. */

import {
  classifyInboundRequest,
  type InboundClassificationOutcome,
  isJSONRPCRequest,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/server'

export interface StandardHeaders {
  /** `MCP-Protocol-Version`. */
  readonly version: string | undefined
  /** `Mcp-Method`. */
  readonly method: string | undefined
  /** `Mcp-Name`. */
  readonly name: string | undefined
}

export function readStandardHeaders(headers: Headers): StandardHeaders {
  return {
    version: headers.get('mcp-protocol-version') ?? undefined,
    method: headers.get('mcp-method') ?? undefined,
    name: headers.get('mcp-name') ?? undefined,
  }
}

/**
 * Whether a message is a request of the 2025 era beyond doubt: it names no revision of its own, and
 * its header an older one. To classify it takes 15 µs more.
 */
export function isPlainlyLegacy(
  body: unknown,
  { version, method, name }: StandardHeaders,
): boolean {
  if (version === undefined || !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) return false
  if (method !== undefined || name !== undefined || !isJSONRPCRequest(body)) return false
  return body.params?._meta === undefined
}

/** Which era a posted message belongs to, by what it says of itself. */
export function classifyPost(
  body: unknown,
  { version, method, name }: StandardHeaders,
): InboundClassificationOutcome {
  return classifyInboundRequest({
    ...{ httpMethod: 'POST', body },
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(method !== undefined && { mcpMethodHeader: method }),
    ...(name !== undefined && { mcpNameHeader: name }),
  })
}

/** 2025-11-25, basic/transports, and 2026-07-28 as well: the client MUST list both types. */
export function acceptsAnswers(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const listed = accept.toLowerCase()
  if (listed.includes('*/*')) return true
  return listed.includes('application/json') && listed.includes('text/event-stream')
}
