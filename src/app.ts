/** The map: every middleware and route, in order, and nothing else. */

import { Hono } from 'hono'
import { authenticate } from './auth/authenticate.ts'
import { AppError } from './errors.ts'
import { callbackRoutes } from './http/callback.ts'
import { connectRoutes } from './http/connect.ts'
import type { HttpEnv } from './http/context.ts'
import { errorResponse } from './http/error-response.ts'
import { healthRoutes } from './http/health.ts'
import { jsonBody } from './http/json-body.ts'
import { landingRoutes } from './http/landing.ts'
import { requestLog } from './http/request-log.ts'
import type { Runtime } from './runtime.ts'

export function createApp(runtime: Runtime): Hono<HttpEnv> {
  const { config, log, store, publicUrl, signIn, signsInAt, mcp, legacy, demo } = runtime
  const app = new Hono<HttpEnv>()

  app.use(requestLog(log))
  app.onError(errorResponse)

  app.route('/', landingRoutes(runtime.about))
  app.route('/', healthRoutes(store, runtime))
  app.route('/', connectRoutes(signIn, signsInAt))
  app.route('/', callbackRoutes(signIn, publicUrl))
  app.all('/mcp', jsonBody({ limitBytes: config.http.bodyLimitBytes }), (c) => {
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

  app.notFound(() => {
    throw new AppError('not_found', 'There is nothing at this address.')
  })
  return app
}
