/**
 * A store that is away, and a limit, in the words of OAuth: a refusal would make clients drop what
 * they hold.
 */

import Provider, { errors } from 'oidc-provider'
import { AppError } from '../../errors.ts'

/** RFC 6749, 4.1.2.1 names the code; at other endpoints it comes with a 503 or 429. */
class TemporarilyUnavailable extends errors.OIDCProviderError {
  override readonly cause: AppError

  constructor(cause: AppError) {
    super(cause.status, 'temporarily_unavailable')
    this.cause = cause
    // A flood is answered here: its redirects would be requests to others.
    if (cause.status === 429) Object.assign(this, { allow_redirect: false })
    this.error_description = cause.message
    this.expose = true
  }
}

/** What is over by itself. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'too_many_requests'])

/** Runs something that needs the store for the library, which tells failures by its own errors. */
export async function forProvider<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError && PASSING.has(error.code)) {
      const { retryAfterSeconds: seconds } = error
      if (seconds !== undefined) Provider.ctx?.set('retry-after', String(seconds))
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
  return error instanceof TemporarilyUnavailable && error.status === 503
}
