/** Per-caller rate limit of a tool. */

import type { Rate } from '../store/rate-limits.ts'
import type { ToolCall } from './call.ts'
import { ToolError } from './tool-error.ts'

/**
 * Counts a call against the rate limit, before any other work.
 * @throws ToolError `too_many_requests`, whose message says when to retry
 */
export async function countCall(rateLimit: Rate, call: ToolCall): Promise<void> {
  // Later rounds belong to a call that is already counted; their `requestState` is single-use.
  if (call.requestState !== undefined) return
  const standing = await call.count(rateLimit)
  if (standing?.isOver !== true) return
  const { calls, perSeconds } = rateLimit
  const { secondsLeft: retryAfterSeconds } = standing
  const message = `This tool may be called ${calls} times in ${perSeconds} seconds. Try again in ${retryAfterSeconds} seconds.`
  throw new ToolError(message, { code: 'too_many_requests', retryAfterSeconds })
}
