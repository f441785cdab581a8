/**
 * Maps an unavailable store and exceeded limits to `temporarily_unavailable`: on other OAuth
 * errors, clients would discard their tokens or registration.
 */

import Provider, { errors } from 'oidc-provider'
import { AppError } from '../../errors.ts'

/** RFC 6749, 4.1.2.1 defines the code; other endpoints send it with status 503 or 429. */
class TemporarilyUnavailable extends errors.OIDCProviderError {
  override readonly cause: AppError

  constructor(cause: AppError) {
    super(cause.status, 'temporarily_unavailable')
    this.cause = cause
    // Does not redirect rate-limited requests: a flood would be forwarded to other hosts.
    if (cause.status === 429) Object.assign(this, { allow_redirect: false })
    this.error_description = cause.message
    this.expose = true
  }
}

/** Codes of temporary failures. */
const TEMPORARY: ReadonlySet<string> = new Set(['unavailable', 'too_many_requests'])

/** Runs work that needs the store and converts temporary failures to errors of the library. */
export async function forProvider<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError && TEMPORARY.has(error.code)) {
      const { retryAfterSeconds: seconds } = error
      if (seconds !== undefined) Provider.ctx?.set('retry-after', String(seconds))
      throw new TemporarilyUnavailable(error)
    }
    throw error
  }
}

/** Converts the library's error back to the original `AppError`. */
export function fromProvider(error: unknown): unknown {
  return error instanceof TemporarilyUnavailable ? error.cause : error
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof TemporarilyUnavailable && error.status === 503
}
