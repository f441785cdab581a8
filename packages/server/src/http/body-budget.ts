/** Memory limit for request bodies: the bytes a node buffers at a time. */

import type { ServerResponse } from 'node:http'
import { AppError } from '../errors.ts'

/**
 * Bodies up to this size are not counted: the socket limit already bounds their memory, and small
 * calls still succeed while large bodies exhaust the budget.
 */
export const UNCOUNTED_BYTES = 16 * 1024

export interface BodyShare {
  /**
   * Sets the number of bytes that the request buffers now.
   * @throws AppError `unavailable` if that exceeds the node's budget
   */
  hold(bytes: number): void
}

export type BodyBudget = ReturnType<typeof createBodyBudget>

/** `onOver` is called for each request refused. */
export function createBodyBudget(mostBytes: number, onOver: () => void = () => {}) {
  let used = 0
  return {
    /** The share of one request; released when the response closes, for whatever reason. */
    shareOf(response: ServerResponse): BodyShare {
      let held = 0
      return {
        hold(bytes) {
          if (bytes <= UNCOUNTED_BYTES || response.destroyed) return
          if (used + bytes - held > mostBytes) {
            onOver()
            throw overBudget()
          }
          if (held === 0) {
            response.once('close', () => {
              used -= held
            })
          }
          used += bytes - held
          held = bytes
        },
      }
    },
  }
}

function overBudget(): AppError {
  return new AppError(
    'unavailable',
    'The server is processing too many large requests. Try again shortly.',
    {
      retryAfterSeconds: 1,
    },
  )
}
