/**
 * Which requests of the 2026 era need none of the SDK's refusals. The others, right or wrong, go to
 * its own entry, which has the last word: here nothing is let through that it would refuse.
 */

import type { InboundClassificationOutcome, JSONRPCRequest } from '@modelcontextprotocol/server'
import type { Catalog } from '../../engine/discover.ts'
import { MODERN_REVISION } from '../server-factory.ts'
import type { StandardHeaders } from '../standard-headers.ts'
import { toolsWithHeaders } from './header-parameters.ts'

/** SEP-2243, "Standard Request Headers": what `Mcp-Name` repeats, by method. */
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

/** SEP-2243: names that do not fit into a header are sent in Base64, between these. */
const ENCODED = /^=\?base64\?/i

/** The request, if it is a plain one. */
export type PlainRequest = (
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
