/** Middleware derived from the route table: CORS, rate limits, CSRF checks, body limits. */

import type { Hono, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { crossOrigin } from './cross-origin.ts'
import { errorResponse } from './error-response.ts'
import type { HttpEnv } from './http-env.ts'
import { notFound, wrongMethod } from './not-found.ts'
import { requestLog } from './observe-requests.ts'
import { ownForms } from './pages/own-forms.ts'
import type { PageTheme } from './pages/page-theme.ts'
import { pagesOf } from './pages/pages.ts'
import type { RateLimiting } from './rate-limit.ts'
import { bodyTooLarge } from './read-body.ts'
import { refused } from './refuse.ts'
import { OPEN_PREFIX, type Route, type RouteTable } from './routes.ts'

interface RouteGuards {
  readonly log: Logger
  readonly theme: PageTheme
  readonly publicUrl: string
  readonly limited: RateLimiting
}

/** Registers the guards of all routes; call before registering the handlers. */
export function guardRoutes(app: Hono<HttpEnv>, routes: RouteTable, guards: RouteGuards): void {
  app.use(requestLog(guards.log, routes))
  app.use(pagesOf(guards.theme))
  app.use(refused)
  app.use(wrongMethod)
  app.onError(errorResponse)
  app.notFound(notFound)
  app.use(`${OPEN_PREFIX}*`, anyOrigin(['GET']))
  for (const route of routes.all) {
    // The authorization server and the demo are plain Node handlers with their own guards.
    if (route.errors !== 'oauth' && !route.isMount) guardRoute(app, route, guards)
  }
}

function guardRoute(app: Hono<HttpEnv>, route: Route, { limited, publicUrl }: RouteGuards): void {
  const { path, audience, methods, origins, limit, maxBodyBytes } = route
  if (origins === 'allowed') app.use(path, crossOrigin(methods))
  if (origins === 'any' && !path.startsWith(OPEN_PREFIX)) app.use(path, anyOrigin(methods))
  if (audience === 'callers') app.use(path, noStore)
  if (limit !== undefined && limit !== 'caller') {
    app.use(path, limit.knownBrowsersOnly ? limited.landing(publicUrl) : limited.pages)
  }
  const unsafe = methods.filter((method) => !['GET', 'HEAD'].includes(method))
  if (audience === 'people' && unsafe.length > 0) app.on(unsafe, [path], ownForms(publicUrl))
  if (maxBodyBytes !== undefined) app.use(path, limitBody(maxBodyBytes, audience))
}

/** CORS for any origin, without credentials (Fetch Standard, "CORS protocol"). */
function anyOrigin(methods: readonly string[]): MiddlewareHandler<HttpEnv> {
  return cors({ origin: '*', allowMethods: [...methods], maxAge: 600 })
}

/** Refuses a larger body (413), with or without `Content-Length`. */
function limitBody(maxSize: number, audience: Route['audience']): MiddlewareHandler<HttpEnv> {
  return bodyLimit({
    maxSize,
    onError() {
      if (audience !== 'people') throw bodyTooLarge(maxSize)
      throw new AppError('payload_too_large', 'The form is too large.')
    },
  })
}

/** Default `Cache-Control: no-store` (RFC 9111, 5.2.2.5); a response may override it. */
const noStore: MiddlewareHandler<HttpEnv> = (c, next) => {
  // Set before the handler runs: changing a finished response's headers would copy the response.
  c.env.outgoing.setHeader('cache-control', 'no-store')
  return next()
}
