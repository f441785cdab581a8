/** The forms of this server's own pages: sent from there only, and in one way. */

import type { HonoRequest, MiddlewareHandler } from 'hono'
import { AppError } from '../../errors.ts'
import type { HttpEnv } from '../http-env.ts'

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

/**
 * A field of a form as our pages send it; null without it. Refuses other content types (415), since
 * pages of other sites can send some without asking, and a field that comes twice (400).
 */
export async function formField(request: HonoRequest, name: string): Promise<string | null> {
  const [type = ''] = (request.header('content-type') ?? '').toLowerCase().split(';', 1)
  if (type.trim() !== 'application/x-www-form-urlencoded') {
    throw new AppError('unsupported_media_type', 'Use the form on the page.')
  }
  const [value = null, ...more] = new URLSearchParams(await request.text()).getAll(name)
  if (more.length > 0) throw new AppError('invalid_request', 'Use the form on the page.')
  return value
}
