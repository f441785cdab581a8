/** The headers that mirror a 2026-era message (SEP-2243), and the era that follows from them. */

import {
  classifyInboundRequest,
  type InboundClassificationOutcome,
  isJSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
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

/** An empty header counts as absent. */
export function readStandardHeaders(headers: Headers): StandardHeaders {
  return {
    version: headers.get('mcp-protocol-version') || undefined,
    method: headers.get('mcp-method') || undefined,
    name: headers.get('mcp-name') || undefined,
  }
}

/**
 * Fast path: whether a message is certainly a 2025-era request, because its body names no revision
 * and its header an older one. Skips the classification by the SDK, which is slower.
 */
export function isPlainlyLegacy(
  body: unknown,
  { version, method, name }: StandardHeaders,
): boolean {
  if (version === undefined || !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) return false
  if (method !== undefined || name !== undefined || !isJSONRPCRequest(body)) return false
  return body.params?._meta === undefined
}

/**
 * Whether a message is the handshake of the 2025 era. Its header may name any revision: it reports
 * what an earlier `initialize` agreed on, so that a client can only send the newest that it supports,
 * and the body negotiates (2025-11-25, basic/lifecycle, "Version Negotiation"). An envelope of the
 * 2026 era makes it a request of that era.
 */
export function isHandshake(body: unknown): boolean {
  if (!isJSONRPCRequest(body) || body.method !== 'initialize') return false
  return body.params?._meta?.[PROTOCOL_VERSION_META_KEY] === undefined
}

/** Classifies a posted message by era, from its body and headers. */
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

/**
 * 2025-11-25, basic/transports, and 2026-07-28 as well: the client MUST list both types. Without
 * the header, any type is acceptable (RFC 9110, 12.5.1).
 */
export function acceptsAnswers(accept: string | undefined): boolean {
  if (accept === undefined) return true
  const listed = accept.toLowerCase()
  if (listed.includes('*/*')) return true
  return listed.includes('application/json') && listed.includes('text/event-stream')
}
