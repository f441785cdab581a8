/**
 * One request to `/mcp`, as the HTTP layer passes it on, and the answer to a POST: one JSON message,
 * or any other HTTP response.
 */

import { toWellFormedJson } from '../well-formed.ts'
import type { RequestContexts } from './request-context.ts'

export interface McpRequest {
  /** Its body, if any, is already consumed; see `body`. */
  readonly request: Request
  readonly body: unknown
  readonly contexts: RequestContexts
  /** Calls the listener when the response is finished or the client disconnects. */
  readonly onClose: (listener: () => void) => void
  /** Closes the connection at once: its client does not read. */
  readonly disconnect: () => void
}

/** A complete JSON response with status 200, which the HTTP layer writes without a `Response`. */
export class JsonAnswer {
  readonly message: object

  constructor(message: object) {
    this.message = message
  }
}

export type McpAnswer = Response | JsonAnswer

/** A JSON response that strict parsers accept: `Response.json` would escape lone surrogates. */
export function jsonResponse(value: object, { headers, ...init }: ResponseInit = {}): Response {
  const fields = new Headers(headers)
  if (!fields.has('content-type')) fields.set('content-type', 'application/json')
  return new Response(toWellFormedJson(value), { ...init, headers: fields })
}
