/** A store that is away, in the words of OAuth: a refusal would make clients drop what they hold. */

import { errors } from 'oidc-provider'
import { AppError } from '../../errors.ts'

/** RFC 6749, 4.1.2.1 names the code; at other endpoints it comes with a 503. */
class TemporarilyUnavailable extends errors.OIDCProviderError {
  override readonly cause: AppError

  constructor(cause: AppError) {
    super(503, 'temporarily_unavailable')
    this.cause = cause
    this.error_description = cause.message
    this.expose = true
  }
}

/** Runs something that needs the store for the library, which tells failures by its own errors. */
export async function forProvider<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError && error.code === 'unavailable') {
      throw new TemporarilyUnavailable(error)
    }
    throw error
  }
}

/** The failure as the rest of the server knows it. */
export function fromProvider(error: unknown): unknown {
  return error instanceof TemporarilyUnavailable ? error.cause : error
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof TemporarilyUnavailable
}
