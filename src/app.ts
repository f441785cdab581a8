/** The map: every middleware and route, in order, and nothing else. */

import { type Context, Hono } from 'hono'
import { authenticate } from './auth/authenticate.ts'
import { callbackRoutes } from './http/callback.ts'
import { clientAddress } from './http/client-address.ts'
import { connectRoutes } from './http/connect.ts'
import type { HttpEnv } from './http/context.ts'
import { crossOrigin } from './http/cross-origin.ts'
import { errorResponse } from './http/error-response.ts'
import { healthRoutes } from './http/health.ts'
import { jsonBody } from './http/json-body.ts'
import { landingRoutes } from './http/landing.ts'
import { notFound, refuseHead, wrongMethod } from './http/not-found.ts'
import { requestLog } from './http/request-log.ts'
import { whenClosed } from './http/when-closed.ts'
import type { Runtime } from './runtime.ts'

export function createApp(runtime: Runtime): Hono<HttpEnv> {
  const { config, log, store, publicUrl, signIn, signsInAt, mcp, legacy, demo } = runtime
  const app = new Hono<HttpEnv>()

  app.use(requestLog(log))
  app.use(wrongMethod(app))
  app.onError(errorResponse)
  app.notFound(notFound)

  app.route('/', landingRoutes(runtime.about))
  app.route('/', healthRoutes(store, runtime))
  app.route('/', connectRoutes(signIn, signsInAt))
  app.route('/', callbackRoutes(signIn, publicUrl))

  for (const path of ['/mcp', '/sse', '/messages']) app.use(path, crossOrigin())
  const body = jsonBody({ limitBytes: config.http.bodyLimitBytes })
  const originsOf = (c: Context<HttpEnv>) => {
    const address = clientAddress(c.env.incoming, config.http.trustedProxies)
    return runtime.origins.of(authenticate(c.req.raw, address), c.get('log'))
  }
  app.on(['POST', 'GET', 'DELETE'], '/mcp', body, (c) => {
    const onClose = whenClosed(c.env.outgoing)
    return mcp.handle({ request: c.req.raw, body: c.get('body'), origins: originsOf(c), onClose })
  })
  app.get('/sse', refuseHead, (c) =>
    legacy.sse.open(c.req.query('session_id'), c.req.header('last-event-id'), originsOf(c)),
  )
  app.post('/messages', body, (c) =>
    legacy.sse.post(c.req.query('session_id'), c.get('body'), originsOf(c)),
  )
  if (demo !== undefined) app.route('/demo/api', demo.api)
  return app
}
