/** What a caller learns of a failed run: never anything internal. */

import { AppError } from '../errors.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import type { CallKind } from './call.ts'
import type { CancelSignal } from './cancel-signal.ts'
import { ToolError } from './tool-error.ts'

export interface Explanation {
  readonly code: string
  readonly message: string
  /** A fault of ours, to be logged with its stack. */
  readonly unexpected: boolean
  /** When to try again, where that is known. */
  readonly retryAfterSeconds?: number | undefined
}

/** Turns whatever was thrown into a stable code and a message fit for the model. */
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
    // An outage has no end that is known.
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
