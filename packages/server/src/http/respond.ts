/** Writes answers of the protocol to their callers. */

import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { JsonAnswer, jsonResponse, type McpAnswer } from '../mcp/mcp-answer.ts'
import { toWellFormedJson } from '../well-formed.ts'
import type { HttpEnv } from './http-env.ts'

/** One JSON message, or the response it has become already. */
export function respond(c: Context<HttpEnv>, answer: McpAnswer): Response {
  return answer instanceof JsonAnswer ? respondJson(c, answer.message) : answer
}

/**
 * Writes a value straight to Node's response: by way of a `Response` and its stream it takes 60 µs
 * more. For pages the headers that let them read it are on the `Response`.
 */
export function respondJson(c: Context<HttpEnv>, value: object): Response {
  if (c.req.header('origin') !== undefined) return jsonResponse(value)
  // A string, which Node sends with the headers in one piece, as it does not do with bytes.
  const text = toWellFormedJson(value)
  const { outgoing } = c.env
  outgoing.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  outgoing.end(text)
  return RESPONSE_ALREADY_SENT
}
