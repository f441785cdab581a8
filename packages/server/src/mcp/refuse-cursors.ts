/** Refuses cursors: each list is one page, so that the server issues none. */

import { ProtocolError, ProtocolErrorCode, type Server } from '@modelcontextprotocol/server'
import { type Handler, wrapHandlers } from './wrap-handlers.ts'

type Listing = { readonly params?: { readonly cursor?: unknown } }

const LISTS = new Set(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])

/**
 * Wraps all handlers of lists that are registered after this call (2025-11-25,
 * server/utilities/pagination, "Error Handling"). An empty cursor counts as absent.
 */
export function refuseCursors(server: Server): void {
  wrapHandlers(server, (handler, method) => (LISTS.has(method) ? refusing(handler) : handler))
}

function refusing(handler: Handler): Handler {
  return (request, ctx) => {
    if (!(request as Listing).params?.cursor) return handler(request, ctx)
    const message = 'The cursor is not valid: lists have one page.'
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, message)
  }
}
