/** Writes MCP responses. */

import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { JsonAnswer, jsonResponse, type McpAnswer } from '../mcp/mcp-request.ts'
import { toWellFormedJson } from '../well-formed.ts'
import type { HttpEnv } from './http-env.ts'

/** Responds with a JSON message, or passes a finished `Response` on. */
export function respond(c: Context<HttpEnv>, answer: McpAnswer): Response {
  return answer instanceof JsonAnswer ? respondJson(c, answer.message) : answer
}

/**
 * Fast path: writes JSON straight to Node's response, without a `Response` and its stream. Requests
 * with an Origin take the `Response`, to which the CORS middleware adds its headers.
 */
export function respondJson(c: Context<HttpEnv>, value: object): Response {
  if (c.req.header('origin') !== undefined) return jsonResponse(value)
  // A string: Node sends it in one write with the headers, but not a buffer.
  const text = toWellFormedJson(value)
  const { outgoing } = c.env
  outgoing.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  outgoing.end(text)
  return RESPONSE_ALREADY_SENT
}
