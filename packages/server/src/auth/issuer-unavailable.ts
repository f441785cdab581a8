/** The external issuer is unavailable: 503, since clients discard their token on a 401. */

import { AppError } from '../errors.ts'

export function issuerUnavailable(cause: unknown): AppError {
  const message = 'The authorization server does not answer. Try again shortly.'
  return new AppError('unavailable', message, { cause, retryAfterSeconds: 2 })
}
