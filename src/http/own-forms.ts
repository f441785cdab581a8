/** Lets forms be sent from this server's own pages only. */

import type { MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import type { HttpEnv } from './context.ts'

/**
 * Refuses what a page of another site or of another port sends (403 `forbidden`). Browsers say
 * where a POST comes from: in `Sec-Fetch-Site` (Fetch Metadata, 2.3), and over plain http in
 * `Origin` alone. What says neither is no browser, and nobody's cookies come with it.
 */
export function ownForms(publicUrl: string): MiddlewareHandler<HttpEnv> {
  const own = new URL(publicUrl).origin
  return async (c, next) => {
    const site = c.req.header('sec-fetch-site')
    const origin = c.req.header('origin') ?? own
    const isOwn = site === undefined ? origin === own : site === 'same-origin' || site === 'none'
    if (!isOwn) throw new AppError('forbidden', 'Use the form on the page.')
    await next()
  }
}
