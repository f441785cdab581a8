/** Addresses there are not, and methods that an address does not have. */

import type { Hono, MiddlewareHandler } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { AppError } from '../errors.ts'
import type { HttpEnv } from './context.ts'
import { answerOf } from './error-response.ts'

/** Answered rather than thrown, so that `wrongMethod` can tell it from a session that is gone. */
export function notFound(): Response {
  return answerOf(new AppError('not_found', 'There is nothing at this address.'))
}

/**
 * For streams. Elsewhere HEAD is answered like GET with the body left out, but nobody would ever
 * read or end a stream that is left out, and it would be held for ever.
 */
export const refuseHead: MiddlewareHandler<HttpEnv> = async (c, next) => {
  // Hono has made a GET of it, but for the request it was given.
  if (c.req.raw.method === 'HEAD') {
    throw new AppError('method_not_allowed', 'Use GET.', { allow: ['GET'] })
  }
  await next()
}

/** Makes 405 with `Allow` of a 404 at an address that has other methods (RFC 9110, 15.5.6). */
export function wrongMethod(app: Hono<HttpEnv>): MiddlewareHandler<HttpEnv> {
  return methodNotAllowed({
    app,
    onMethodNotAllowed: (_c, allow) =>
      answerOf(new AppError('method_not_allowed', `Use ${allow.join(' or ')}.`, { allow })),
  })
}
