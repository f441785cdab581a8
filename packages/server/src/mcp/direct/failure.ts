/** Maps a failed call to an HTTP status and error code. */

import {
  type CallToolResult,
  type JSONRPCErrorResponse,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server'
import { ERROR_META_KEY, type ToolErrorFacts } from '../../engine/tool-error.ts'
import { type AppError, statusOf } from '../../errors.ts'

export interface DirectFailure {
  /** An HTTP status. */
  readonly status: number
  /** Stable and machine-readable. */
  readonly code: string
  /** Human-readable. */
  readonly detail: string
  /** Content of the failed tool's result. */
  readonly content?: CallToolResult['content']
  /** `Retry-After`, in seconds. */
  readonly retryAfterSeconds?: number | undefined
}

/** Status codes of tool errors that `AppError` does not define. */
const STATUS: Readonly<Record<string, number>> = {
  invalid_arguments: 400,
  insufficient_scope: 403,
  login_declined: 403,
  upstream_unauthorized: 403,
  session_not_found: 404,
  upstream_not_found: 404,
  upstream_rate_limited: 429,
  invalid_output: 500,
  result_too_large: 500,
  upstream_unreachable: 502,
  upstream_rejected: 502,
  upstream_failed: 502,
  upstream_bad_response: 502,
  upstream_too_large: 502,
  upstream_cancelled: 502,
  timeout: 504,
  upstream_timeout: 504,
}

/** The request was valid and the server worked, but the tool failed (RFC 9110, 15.5.21). */
const TOOL_FAILED = 422

/** A tool's failure (`isError`). */
export function toolFailure({ content, _meta }: CallToolResult): DirectFailure {
  const facts = (_meta?.[ERROR_META_KEY] ?? { code: 'tool_failed' }) as ToolErrorFacts
  const { code, retryAfterSeconds } = facts
  const text = content.map((part) => ('text' in part ? part.text : '')).join('\n')
  return {
    status: statusOfCode(code) ?? TOOL_FAILED,
    code,
    detail: text,
    content,
    retryAfterSeconds,
  }
}

/** A failure to serve the request at all, such as an unavailable store. */
export function unservedFailure(error: AppError): DirectFailure {
  const { status, code, message: detail, retryAfterSeconds } = error
  return { status, code, detail, retryAfterSeconds }
}

/** A JSON-RPC error. */
export function protocolFailure({ error }: JSONRPCErrorResponse): DirectFailure {
  const { code, uri, reason } = (error.data ?? {}) as Readonly<Record<string, string | undefined>>
  const detail = error.message
  if (code !== undefined) return { status: statusOfCode(code) ?? 500, code, detail }
  if (error.code === ProtocolErrorCode.MethodNotFound) {
    return { status: 404, code: 'method_not_found', detail }
  }
  if (error.code === ProtocolErrorCode.MissingRequiredClientCapability) {
    return { status: 400, code: 'missing_capability', detail }
  }
  if (error.code !== ProtocolErrorCode.InvalidParams) {
    return { status: 500, code: 'internal_error', detail }
  }
  // Only the error for a missing resource contains its URI (2026-07-28, server/resources).
  if (uri !== undefined && reason === undefined)
    return { status: 404, code: 'resource_not_found', detail }
  return { status: 400, code: 'invalid_params', detail }
}

/** Maps 401 to 403: 401 is about the access token, and clients would discard that. */
function statusOfCode(code: string): number | undefined {
  const status = Object.hasOwn(STATUS, code) ? STATUS[code] : statusOf(code)
  return status === 401 ? 403 : status
}
