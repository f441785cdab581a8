/** `/logo`: the server's image, for its pages and for clients that list servers. */

import { Hono } from 'hono'
import type { Logo } from '../../config/logo-file.ts'
import type { HttpEnv } from '../http-env.ts'

export const LOGO_PATH = '/logo'

/**
 * An SVG opened directly is a document of this origin: the policy prevents its scripts (XSS). The
 * image is available cross-origin, because clients embed it.
 */
const HEADERS = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'public, max-age=3600',
}

export function logoRoutes({ mediaType, bytes }: Logo): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>()
  routes.get(LOGO_PATH, (c) => c.body(bytes, 200, { ...HEADERS, 'content-type': mediaType }))
  return routes
}
