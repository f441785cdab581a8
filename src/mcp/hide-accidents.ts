/** What resources and prompts throw by accident goes to the log; clients are not told. */

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { explainError } from '../engine/explain-error.ts'
import type { Logger } from '../logger.ts'

export interface Work {
  /** For the log and the client: `resource branches`. */
  readonly what: string
  readonly signal: AbortSignal
  readonly log: Logger
}

/**
 * Does the work. The SDK would send the message of whatever is thrown.
 * @throws ProtocolError always that, with a message fit for the client
 */
export async function hideAccidents<T>(
  { what, signal, log }: Work,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    const { code, message, unexpected } = explainError(error, signal)
    if (unexpected) log.error({ err: error, what }, 'request failed')
    const told = unexpected ? `The ${what} failed. Try again later.` : message
    throw new ProtocolError(ProtocolErrorCode.InternalError, told, { code })
  }
}
