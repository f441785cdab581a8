/** CSRF protection of the forms on this server's pages. */

import type { HonoRequest, MiddlewareHandler } from 'hono'
import { AppError } from '../../errors.ts'
import type { HttpEnv } from '../http-env.ts'

/**
 * Refuses cross-origin requests, other ports included (403 `forbidden`). Browsers declare where a
 * POST comes from in `Sec-Fetch-Site` (Fetch Metadata, 2.3), over plain http in `Origin` only. A
 * request with neither does not come from a browser, so no user's cookies are at risk.
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
 * Reads a form field; null if absent. Refuses other content types (415), some of which other sites
 * can send without a preflight, and duplicate fields (400).
 */
export async function formField(request: HonoRequest, name: string): Promise<string | null> {
  return singleField(await formFields(request), name)
}

/** Reads all fields of a form, of which some may be lists. Refuses other content types (415). */
export async function formFields(request: HonoRequest): Promise<URLSearchParams> {
  const [type = ''] = (request.header('content-type') ?? '').toLowerCase().split(';', 1)
  if (type.trim() !== 'application/x-www-form-urlencoded') {
    throw new AppError('unsupported_media_type', 'Use the form on the page.')
  }
  return new URLSearchParams(await request.text())
}

/** The value of a field; null if absent. Refuses duplicates (400). */
export function singleField(fields: URLSearchParams, name: string): string | null {
  const [value = null, ...more] = fields.getAll(name)
  if (more.length > 0) throw new AppError('invalid_request', 'Use the form on the page.')
  return value
}
