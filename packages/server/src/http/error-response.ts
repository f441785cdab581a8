/** The one place where a failure becomes an answer. */

import type { ServerResponse } from 'node:http'
import type { Context, ErrorHandler } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError } from '../errors.ts'
import { isShortId } from '../mcp/bounds.ts'
import { jsonResponse } from '../mcp/mcp-answer.ts'
import { toWellFormedJson } from '../well-formed.ts'
import type { HttpEnv } from './http-env.ts'
import { page } from './pages/pages.ts'
import { problemResponse, wantsProblem } from './problem.ts'
import { refusedBody } from './refused-body.ts'

/**
 * Answers with a JSON-RPC error, which says the same to programs that speak none; with a problem
 * document for direct calls, and with a page where people are. Faults of ours are logged with their stack, and told without it; that
 * the node stops or its store is away is no fault of ours.
 */
export const errorResponse: ErrorHandler<HttpEnv> = async (error, c) => {
  const known = asAppError(error)
  const log = c.get('log')
  if (known.code === 'unavailable') log.warn({ err: error }, 'request failed')
  else if (known.status >= 500) log.error({ err: error }, 'request failed')
  else log.debug({ err: error }, 'request refused')
  if (c.get('forPeople') === true || c.get('route')?.errors === 'page') return errorPage(c, known)
  if (c.get('route')?.isOfTeam === true) return problemOf(known)
  const message = await refusedBody(c)
  if (wantsProblem(c, message)) return problemOf(known)
  return answerOf(known, requestIdOf(message))
}

/** An error as a problem document, not logged. */
export function problemOf(error: AppError): Response {
  const { status, code, message: detail } = error
  return problemResponse({ status, code, detail }, headers(error))
}

/** An error as an answer, not logged. */
export function answerOf(error: AppError, id: string | number | null = null): Response {
  return jsonResponse(body(error, id), { status: error.status, headers: headers(error) })
}

/** An error as a page, not logged. */
export function errorPage(c: Context<HttpEnv>, error: AppError): Response | Promise<Response> {
  // Cookies stay as they are, so that trying again can succeed.
  c.header('set-cookie', undefined)
  for (const [name, value] of Object.entries(headers(error))) c.header(name, value)
  const isUnavailable = error.status === 503
  const what = isUnavailable
    ? 'This server is busy or out of order. Try again shortly.'
    : error.message
  return page(c, {
    title: isUnavailable ? 'Not available just now' : 'This cannot go on',
    status: error.status as ContentfulStatusCode,
    body: html`<p role="alert">${what}</p>`,
  })
}

/** The same for what is refused before there is a request context. */
export function writeError(response: ServerResponse, error: unknown): void {
  const known = asAppError(error)
  const type = { 'content-type': 'application/json' }
  response.writeHead(known.status, { ...type, connection: 'close', ...headers(known) })
  response.end(toWellFormedJson(body(known, null)))
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('internal_error', 'Something went wrong.', { cause: error })
}

function body({ rpcCode, code, message }: AppError, id: unknown) {
  return { jsonrpc: '2.0', id, error: { code: rpcCode, message, data: { code } } }
}

function headers({ retryAfterSeconds, allow, challenge }: AppError): Record<string, string> {
  return {
    // Many depend on the caller, and 404 and 405 may be kept by default (RFC 9111, 4.2.2).
    'cache-control': 'no-store',
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    ...(allow !== undefined && { allow: allow.join(', ') }),
    ...(challenge !== undefined && { 'www-authenticate': challenge }),
  }
}

/** Null also for an id that is too long to be repeated. */
function requestIdOf(message: unknown): string | number | null {
  const id = (message as { id?: unknown } | null | undefined)?.id
  return isShortId(id) ? id : null
}
