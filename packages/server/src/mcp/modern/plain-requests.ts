/**
 * Decides which 2026-era requests can skip the validation in the SDK's HTTP handler. All others,
 * valid or invalid, go through that handler: this check accepts nothing that it would reject.
 */

import type { InboundClassificationOutcome, JSONRPCRequest } from '@modelcontextprotocol/server'
import type { Catalog } from '../../engine/discover.ts'
import { MODERN_REVISION } from '../server-factory.ts'
import type { StandardHeaders } from '../standard-headers.ts'

/** SEP-2243, "Standard Request Headers": the parameter that `Mcp-Name` mirrors, by method. */
const NAMED_BY: Readonly<Record<string, 'name' | 'uri' | undefined>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tools/list': undefined,
  'prompts/list': undefined,
  'resources/list': undefined,
  'resources/templates/list': undefined,
  'completion/complete': undefined,
  'server/discover': undefined,
}

/** SEP-2243: prefix of names in Base64, for characters that a header cannot contain. */
const ENCODED = /^=\?base64\?/i

/** Returns the request if it is a plain one. */
type PlainRequest = (
  classified: InboundClassificationOutcome,
  headers: StandardHeaders,
) => JSONRPCRequest | undefined

export function createPlainRequest(catalog: Catalog): PlainRequest {
  const withHeaders = toolsWithHeaders(catalog)
  return (classified, headers) => {
    if (classified.kind !== 'modern' || classified.messageKind !== 'request') return undefined
    const { message, classification } = classified
    const { method, params } = message
    if (classification.revision !== MODERN_REVISION || !Object.hasOwn(NAMED_BY, method)) {
      return undefined
    }
    if (headers.version !== MODERN_REVISION || headers.method !== method) return undefined
    const namedBy = NAMED_BY[method]
    if (namedBy === undefined) return message
    const named = (params as Readonly<Record<string, unknown>> | undefined)?.[namedBy]
    if (typeof named !== 'string' || named !== headers.name || ENCODED.test(named)) return undefined
    return method === 'tools/call' && withHeaders.has(named) ? undefined : message
  }
}

const DECLARATION = '"x-mcp-header"'

/** The names of those tools; the SDK compares their headers with the arguments. */
export function toolsWithHeaders({ tools }: Catalog): ReadonlySet<string> {
  const found = [...tools].filter(([, { inputSchema }]) =>
    JSON.stringify(inputSchema).includes(DECLARATION),
  )
  return new Set(found.map(([name]) => name))
}
