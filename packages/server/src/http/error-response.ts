/** Error responses: the single place that maps errors to HTTP. */

import type { ServerResponse } from 'node:http'
import type { Context, ErrorHandler } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, type ErrorCode } from '../errors.ts'
import { isShortId } from '../mcp/incoming-message.ts'
import { jsonResponse } from '../mcp/mcp-request.ts'
import { toWellFormedJson } from '../well-formed.ts'
import type { HttpEnv } from './http-env.ts'
import { page } from './pages/pages.ts'
import { problemResponse, wantsProblem } from './problem.ts'
import { refusedBody } from './refused-body.ts'

/**
 * Responds with a JSON-RPC error; with a problem document for direct calls; with a page for
 * browsers. Logs internal errors with a stack, which responses omit; logs shutdown and an
 * unavailable store as warnings.
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

/** Renders an error as a problem document (RFC 9457), without logging. */
export function problemOf(error: AppError): Response {
  const { status, code, message: detail } = error
  return problemResponse({ status, code, detail }, headers(error))
}

/** Renders an error as a JSON-RPC response, without logging. */
export function answerOf(error: AppError, id: string | number | null = null): Response {
  return jsonResponse(body(error, id), { status: error.status, headers: headers(error) })
}

/** Renders an error as a page, without logging. */
export function errorPage(c: Context<HttpEnv>, error: AppError): Response | Promise<Response> {
  // Discards cookie changes, so that a retry can succeed.
  c.header('set-cookie', undefined)
  for (const [name, value] of Object.entries(headers(error))) c.header(name, value)
  const { home, serverName } = c.get('theme')
  const isMissing = error.code === 'not_found' && home !== undefined
  return page(c, {
    title: TITLES[error.code] ?? 'Something went wrong',
    status: error.status as ContentfulStatusCode,
    body: html`<p role="alert">${MESSAGES[error.code] ?? error.message}</p>
      ${isMissing ? html`<p><a href="${home}">Go to the start page of ${serverName}</a></p>` : ''}`,
  })
}

const TITLES: Partial<Record<ErrorCode, string>> = {
  not_found: 'Page not found',
  too_many_requests: 'Too many requests',
  unavailable: 'Not available just now',
}

/** What a person can do, instead of a message for programs. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  not_found: 'There is nothing at this address. Check it for typing mistakes.',
  unavailable: 'This server is busy or temporarily unavailable. Try again shortly.',
}

/** Writes a JSON-RPC error to a Node response, for requests refused before Hono runs. */
export function writeError(response: ServerResponse, error: unknown): void {
  const known = asAppError(error)
  const type = { 'content-type': 'application/json' }
  response.writeHead(known.status, { ...type, connection: 'close', ...headers(known) })
  response.end(toWellFormedJson(body(known, null)))
}

/** Wraps an unexpected error as `internal_error`, whose message reveals nothing. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('internal_error', 'Something went wrong.', { cause: error })
}

function body({ rpcCode, code, message }: AppError, id: unknown) {
  return { jsonrpc: '2.0', id, error: { code: rpcCode, message, data: { code } } }
}

function headers({ retryAfterSeconds, allow, challenge }: AppError): Record<string, string> {
  return {
    // Many errors depend on the caller; caches may store 404 and 405 by default (RFC 9111, 4.2.2).
    'cache-control': 'no-store',
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    ...(allow !== undefined && { allow: allow.join(', ') }),
    ...(challenge !== undefined && { 'www-authenticate': challenge }),
  }
}

/** The JSON-RPC id of the message; null if missing or too long to echo. */
function requestIdOf(message: unknown): string | number | null {
  const id = (message as { id?: unknown } | null | undefined)?.id
  return isShortId(id) ? id : null
}
