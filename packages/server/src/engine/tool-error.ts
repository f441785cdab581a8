/**
 * Errors of calls: a tool's own, with its tool result, and the code, message and metric label that
 * every other error maps to, without disclosing internals.
 */

import type { CallToolResult } from '@modelcontextprotocol/server'
import { AppError, statusOf } from '../errors.ts'
import { isUpstreamErrorCode, UpstreamError } from '../upstream/upstream-error.ts'
import type { CallKind } from './call.ts'
import type { CancelSignal } from './time-limit.ts'

/** The `_meta` key of the error code in a tool result. */
export const ERROR_META_KEY = 'mcp-template/error'

export interface ToolErrorOptions {
  readonly code?: string
  readonly cause?: unknown
  /** Delay before a retry, in seconds. Read by programs only: repeat it in the message. */
  readonly retryAfterSeconds?: number
}

/** Thrown by a tool. The message reaches the model: it should say what to do, without secrets. */
export class ToolError extends Error {
  readonly code: string
  readonly retryAfterSeconds: number | undefined

  constructor(message: string, options: ToolErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'ToolError'
    this.code = options.code ?? 'tool_failed'
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** The error of a call that reached its time limit. */
export function timedOut(kind: CallKind, cause: unknown): ToolError {
  return new ToolError(`The ${kind} did not finish in time.`, { code: 'timeout', cause })
}

/** Metadata of a failed call, for programs. */
export interface ToolErrorFacts {
  readonly code: string
  readonly retryAfterSeconds?: number
}

/** A failed call as a tool result (2026-07-28, server/tools, "Error Handling"). */
export function toolErrorResult(
  code: string,
  message: string,
  retryAfterSeconds?: number,
): CallToolResult {
  const facts: ToolErrorFacts = {
    code,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }
  return {
    content: [{ type: 'text', text: message }],
    isError: true,
    _meta: { [ERROR_META_KEY]: facts },
  }
}

export interface Explanation {
  readonly code: string
  readonly message: string
  /** A bug or an invalid output, logged with its stack. */
  readonly unexpected: boolean
  /** When to retry, if known. */
  readonly retryAfterSeconds?: number | undefined
}

/** Maps any thrown value to a stable code and a message for the model. */
export function explainError(
  error: unknown,
  cancelled: Pick<CancelSignal, 'aborted'>,
  kind: CallKind = 'tool',
): Explanation {
  if (cancelled.aborted) {
    return { code: 'cancelled', message: 'The call was cancelled.', unexpected: false }
  }
  if (error instanceof ToolError) {
    const { code, message, retryAfterSeconds } = error
    return { code, message, unexpected: code === 'invalid_output', retryAfterSeconds }
  }
  if (error instanceof AppError) {
    const { code, message, retryAfterSeconds } = error
    // The duration of an outage is unknown.
    const isLimit = code === 'too_many_requests'
    return { code, message, unexpected: false, ...(isLimit && { retryAfterSeconds }) }
  }
  if (error instanceof UpstreamError) {
    const { code, message, retryAfterSeconds } = error
    return { code, message, unexpected: false, retryAfterSeconds }
  }
  return {
    code: 'internal_error',
    message: `The ${kind} failed. Try again later.`,
    unexpected: true,
  }
}

/** A fixed list, which bounds the cardinality of the metric whatever tools throw. */
const OF_THE_ENGINE: ReadonlySet<string> = new Set([
  ...['ok', 'input_required', 'cancelled', 'timeout', 'tool_failed'],
  ...['invalid_arguments', 'invalid_output', 'session_not_found', 'login_declined'],
  ...['result_too_large', 'session_data_too_large'],
])

/** The outcome itself, or `other` for a tool's own code. */
export function outcomeLabel(outcome: string): string {
  const isKnown =
    OF_THE_ENGINE.has(outcome) || statusOf(outcome) !== undefined || isUpstreamErrorCode(outcome)
  return isKnown ? outcome : 'other'
}
