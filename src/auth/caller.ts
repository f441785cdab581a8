/** Who is calling: the outcome of authentication. */

import { AppError } from '../errors.ts'

/** A caller that showed no token; it is known by its connection or its session handle, if at all. */
export interface Caller {
  readonly kind: 'anonymous'
  /** Scopes of the token; undefined without one. */
  readonly scopes: readonly string[] | undefined
}

/**
 * Authenticates a request. No token is issued or accepted yet, so one that is shown is refused
 * rather than ignored (RFC 6750, 3.1).
 * @throws AppError `unauthorized`
 */
export function authenticate(request: Request): Caller {
  if (request.headers.has('authorization')) {
    throw new AppError('unauthorized', 'This server does not know that access token.')
  }
  return { kind: 'anonymous', scopes: undefined }
}
