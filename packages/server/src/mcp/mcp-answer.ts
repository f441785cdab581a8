/** What a POST is answered with: one JSON message, or whatever else HTTP has. */

import { toWellFormedJson } from '../well-formed.ts'

/** A whole answer of status 200, for the HTTP layer to write out without a `Response` around it. */
export class JsonAnswer {
  readonly message: object

  constructor(message: object) {
    this.message = message
  }
}

export type McpAnswer = Response | JsonAnswer

/** A JSON response that strict parsers take: `Response.json` would escape lone surrogates. */
export function jsonResponse(value: object, { headers, ...init }: ResponseInit = {}): Response {
  const fields = new Headers(headers)
  if (!fields.has('content-type')) fields.set('content-type', 'application/json')
  return new Response(toWellFormedJson(value), { ...init, headers: fields })
}
