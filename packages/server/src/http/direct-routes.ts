/** `/http`: direct tool calls without JSON-RPC, next to MCP messages. */

import type { Context } from 'hono'
import { CLIENT_CLOSED_REQUEST } from '../errors.ts'
import type { DirectAnswer } from '../mcp/direct/direct-calls.ts'
import type { HttpEnv } from './http-env.ts'
import { problemResponse } from './problem.ts'
import { respondJson } from './respond.ts'

/** Responds with the plain result, or with a problem document on failure (RFC 9457). */
export function directResponse(c: Context<HttpEnv>, answer: DirectAnswer): Response {
  if (answer.kind === 'cancelled') return new Response(null, { status: CLIENT_CLOSED_REQUEST })
  if (answer.kind === 'result') return respondJson(c, answer.result)
  const { content, retryAfterSeconds: seconds, ...problem } = answer.failure
  // Includes the members of a tool result, for programs that read those.
  const extensions = content === undefined ? {} : { isError: true, content }
  const headers = seconds === undefined ? undefined : { 'retry-after': String(seconds) }
  return problemResponse({ ...problem, ...extensions }, headers)
}
