/** How often one caller may call a tool that says so. */

import type { Rate } from '../store/rate-limits.ts'
import type { ToolCall } from './call.ts'
import { ToolError } from './tool-error.ts'

/**
 * Counts a call, before anything is done for it.
 * @throws ToolError `too_many_requests`, which tells the model when to try again
 */
export async function countCall(rateLimit: Rate, call: ToolCall): Promise<void> {
  // Later rounds belong to a call that has been counted; their state is good once.
  if (call.carried !== undefined) return
  const standing = await call.count(rateLimit)
  if (standing?.isOver !== true) return
  const { calls, perSeconds } = rateLimit
  const { secondsLeft: retryAfterSeconds } = standing
  const message = `This tool may be called ${calls} times in ${perSeconds} seconds. Try again in ${retryAfterSeconds} seconds.`
  throw new ToolError(message, { code: 'too_many_requests', retryAfterSeconds })
}
