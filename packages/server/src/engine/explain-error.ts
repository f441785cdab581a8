/** Maps errors to the code and message for the caller; never discloses internals. */

import { AppError } from '../errors.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import type { CallKind } from './call.ts'
import type { CancelSignal } from './cancel-signal.ts'
import { ToolError } from './tool-error.ts'

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
