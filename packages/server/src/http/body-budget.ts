/** How many bytes of request bodies a node holds at a time. */

import type { ServerResponse } from 'node:http'
import { AppError } from '../errors.ts'

/**
 * Bodies up to this size are not counted: what they can take is bounded by the number of sockets, and
 * so ordinary calls go on while large bodies use up the budget.
 */
export const UNCOUNTED_BYTES = 16 * 1024

export interface BodyBudget {
  /** The share of one request; given back when its response is closed, however that happens. */
  shareOf(response: ServerResponse): BodyShare
}

export interface BodyShare {
  /**
   * Sets how many bytes the request holds now.
   * @throws AppError `unavailable` when that is too much for the node
   */
  hold(bytes: number): void
}

/** `onOver` is called for each request that is refused. */
export function createBodyBudget(mostBytes: number, onOver: () => void = () => {}): BodyBudget {
  let used = 0
  return {
    shareOf(response) {
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
    'The server holds too many large requests. Try again shortly.',
    {
      retryAfterSeconds: 1,
    },
  )
}
