/** The answer to a POST: one JSON message, or any other HTTP response. */

import { toWellFormedJson } from '../well-formed.ts'

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
