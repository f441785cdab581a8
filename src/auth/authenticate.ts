/** Authenticates requests. */

import { AppError } from '../errors.ts'
import type { Caller } from '../session/caller.ts'

/**
 * Tells who is calling, from which address. No token is issued or accepted yet, so one that is shown
 * is refused rather than ignored (RFC 6750, 3.1).
 * @throws AppError `unauthorized`
 */
export function authenticate(request: Request, address: string): Caller {
  if (request.headers.has('authorization')) {
    throw new AppError('unauthorized', 'This server does not know that access token.')
  }
  return { kind: 'anonymous', scopes: undefined, address }
}
