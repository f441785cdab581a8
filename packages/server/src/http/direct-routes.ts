/** `/http`: calls without the protocol, beside messages with it. */

import type { Context } from 'hono'
import type { DirectAnswer } from '../mcp/direct/direct-calls.ts'
import type { HttpEnv } from './http-env.ts'
import { problemResponse } from './problem.ts'
import { respondJson } from './respond.ts'

/** Nobody reads it: the caller has gone. */
const CLIENT_CLOSED_REQUEST = 499

/** The result as it is, or what went wrong as a problem document. */
export function directResponse(c: Context<HttpEnv>, answer: DirectAnswer): Response {
  if (answer.kind === 'cancelled') return new Response(null, { status: CLIENT_CLOSED_REQUEST })
  if (answer.kind === 'result') return respondJson(c, answer.result)
  const { content, retryAfterSeconds: seconds, ...problem } = answer.failure
  // With what a tool result has, for programs that read those.
  const extensions = content === undefined ? {} : { isError: true, content }
  const headers = seconds === undefined ? undefined : { 'retry-after': String(seconds) }
  return problemResponse({ ...problem, ...extensions }, headers)
}
