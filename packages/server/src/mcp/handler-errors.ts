/** Converts errors of handlers: the client gets no internal details, the log gets all of them. */

import {
  type AuthInfo,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { explainError } from '../engine/tool-error.ts'
import { AppError } from '../errors.ts'
import { cutText } from '../well-formed.ts'
import type { McpAnswer } from './mcp-request.ts'
import { type RequestContext, requestContextOf } from './request-context.ts'
import { type Handler, wrapHandlers } from './wrap-handlers.ts'

/** The SDK's hook for subclasses: wraps a handler together with the check of its parameters. */
type WrapHandler = (method: string, handler: Handler) => Handler

const REFUSED = /^(\[.*\])$/s
const REFUSED_CALL = /^Invalid tools\/call request: (\[.*\])$/s
/** Maximum number of faults in an error message. */
const MOST_FAULTS = 3
/** Limits in characters: of a key, and of a fault including its path. */
const LONGEST_KEY = 60
const LONGEST_FAULT = 200

/** Retryable statuses, on which clients and load balancers act. */
const UNSERVED: ReadonlySet<number> = new Set([429, 503])

/** The errors of requests that could not be served at all, by the `authInfo` of the request. */
const unserved = new WeakMap<AuthInfo, AppError>()

/**
 * Wraps all handlers that are registered after this call. The SDK would expose the messages of all
 * errors that resources, prompts and completions throw, and report bad params as internal errors.
 */
export function guardHandlers(server: Server, fallback: RequestContext | undefined): void {
  wrapHandlers(server, (handler) => async (request, ctx) => {
    try {
      return await handler(request, ctx)
    } catch (error) {
      throw toProtocolError(error, ctx, fallback)
    }
  })
  const hook = server as unknown as { _wrapHandler: WrapHandler }
  const wrap = hook._wrapHandler.bind(server)
  const wrapGuarded: WrapHandler = (method, handler) => {
    const wrapped = wrap(method, handler)
    return async (request, ctx) => {
      try {
        return await wrapped(request, ctx)
      } catch (error) {
        throw asInvalidParams(error) ?? error
      }
    }
  }
  Object.assign(server, { _wrapHandler: wrapGuarded })
}

function toProtocolError(
  error: unknown,
  ctx: ServerContext,
  fallback: RequestContext | undefined,
): ProtocolError {
  if (error instanceof ProtocolError) return error
  const { code, message, unexpected } = explainError(error, ctx.mcpReq.signal)
  const { log } = requestContextOf(ctx, fallback)
  if (unexpected) {
    log.error({ err: error, method: ctx.mcpReq.method }, 'request failed')
    return new ProtocolError(ProtocolErrorCode.InternalError, 'Something went wrong.', { code })
  }
  if (!(error instanceof AppError)) {
    return new ProtocolError(ProtocolErrorCode.InternalError, message, { code })
  }
  const authInfo = ctx.http?.authInfo
  if (UNSERVED.has(error.status) && authInfo !== undefined) unserved.set(authInfo, error)
  log.warn({ err: error, method: ctx.mcpReq.method }, 'request failed')
  return new ProtocolError(error.rpcCode, message, { code })
}

/**
 * Converts the SDK's rejection of parameters into a readable -32602 (JSON-RPC 2.0, section 5.1).
 * The SDK throws zod's issues as JSON in the message, as a plain `Error` except for `tools/call`.
 * Undefined for other errors, which include all errors of guarded handlers.
 */
function asInvalidParams(error: unknown): ProtocolError | undefined {
  if (!(error instanceof Error)) return undefined
  const form = error instanceof ProtocolError ? REFUSED_CALL : REFUSED
  const [, json] = form.exec(error.message) ?? []
  if (json === undefined) return undefined
  const issues = JSON.parse(json) as { path: PropertyKey[]; message: string }[]
  const faults = issues.slice(0, MOST_FAULTS).map(({ path, message }) => {
    const keys = path[0] === 'params' ? path.slice(1) : path
    const place = keys.map((key) => cutText(String(key), LONGEST_KEY)).join('.')
    return cutText(place === '' ? message : `${place}: ${message}`, LONGEST_FAULT)
  })
  const more = issues.length > MOST_FAULTS ? `; and ${issues.length - MOST_FAULTS} more` : ''
  const text = `Invalid params: ${faults.join('; ')}${more}`
  return new ProtocolError(ProtocolErrorCode.InvalidParams, text)
}

/** The error if a request could not be served at all: an unavailable store, or a rate limit. */
export function unservedError(authInfo: AuthInfo): AppError | undefined {
  return unserved.get(authInfo)
}

/**
 * Sets the HTTP status of a failed request: the SDK sends 200 for all errors of handlers, but
 * clients and load balancers act on 429 and 503. The status of a stream has been sent already.
 */
export function withStatus<Answer extends McpAnswer>(
  answer: Answer,
  authInfo: AuthInfo,
): Answer | Response {
  if (!(answer instanceof Response)) return answer
  const response: Response = answer
  const error = unservedError(authInfo)
  const type = response.headers.get('content-type')
  if (error === undefined || type !== 'application/json') return answer
  const headers = { 'content-type': type, 'retry-after': String(error.retryAfterSeconds ?? 1) }
  return new Response(response.body, { status: error.status, headers })
}
