/** The map: every middleware and route, in order, and nothing else. */

import { Hono } from 'hono'
import { authenticate } from './auth/authenticate.ts'
import { callbackRoutes } from './http/callback.ts'
import { connectRoutes } from './http/connect.ts'
import type { HttpEnv } from './http/context.ts'
import { errorResponse } from './http/error-response.ts'
import { healthRoutes } from './http/health.ts'
import { jsonBody } from './http/json-body.ts'
import { landingRoutes } from './http/landing.ts'
import { notFound, wrongMethod } from './http/not-found.ts'
import { requestLog } from './http/request-log.ts'
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
  const body = jsonBody({ limitBytes: config.http.bodyLimitBytes })
  app.on(['GET', 'POST', 'DELETE'], '/mcp', body, (c) => {
    const request = c.req.raw
    const origins = runtime.origins.of(authenticate(request), c.get('log'))
    return mcp.handle({ request, body: c.get('body'), origins })
  })
  app.get('/sse', (c) => {
    const origins = runtime.origins.of(authenticate(c.req.raw), c.get('log'))
    return legacy.sse.open(c.req.query('session_id'), origins)
  })
  app.post('/messages', jsonBody({ limitBytes: config.http.bodyLimitBytes }), (c) => {
    const origins = runtime.origins.of(authenticate(c.req.raw), c.get('log'))
    return legacy.sse.post(c.req.query('session_id'), c.get('body'), origins)
  })
  if (demo !== undefined) app.route('/demo/api', demo.api)
  return app
}
