/** The external issuer does not answer: 503, since a client would throw its token away on 401. */

import { AppError } from '../errors.ts'

export function issuerUnavailable(cause: unknown): AppError {
  const message = 'The authorization server does not answer. Try again shortly.'
  return new AppError('unavailable', message, { cause, retryAfterSeconds: 2 })
}
