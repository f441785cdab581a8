/** The map: every middleware and route, in order, and nothing else. */

import { type Context, type Handler, Hono } from 'hono'
import { longestTokenSeconds } from './auth/resource-server.ts'
import type { ResourcePath } from './auth/resources.ts'
import { bearer, scopesFor } from './http/bearer.ts'
import type { BodyBudget } from './http/body-budget.ts'
import { callbackRoutes } from './http/callback.ts'
import { countedNetwork } from './http/client-address.ts'
import { connectRoutes } from './http/connect.ts'
import { connectionAhead } from './http/connection-ahead.ts'
import { consentRoutes } from './http/consent.ts'
import type { HttpEnv } from './http/context.ts'
import { directResponse } from './http/direct-calls.ts'
import { guardRoutes } from './http/guard-routes.ts'
import { healthRoutes } from './http/health.ts'
import { jsonBody } from './http/json-body.ts'
import { landingRoutes } from './http/landing.ts'
import { logoRoutes } from './http/logo.ts'
import { metricsAtMainPort } from './http/metrics.ts'
import { isDirectCall } from './http/problem.ts'
import { protectedResourceRoutes } from './http/protected-resource.ts'
import { createRateLimiting } from './http/rate-limit.ts'
import { respond } from './http/respond.ts'
import { checkRouted, DEMO_API_PATH, type RouteTable } from './http/routes.ts'
import { whenClosed } from './http/when-closed.ts'
import type { Runtime } from './runtime.ts'
import { createLetInClients } from './session/let-in-clients.ts'

export interface AppDeps {
  readonly bodyBudget: BodyBudget
  /** What is served; what is not in it is not found. */
  readonly routes: RouteTable
}

export function createApp(runtime: Runtime, { bodyBudget, routes }: AppDeps): Hono<HttpEnv> {
  const { config, auth, mcp, direct, legacy, demo } = runtime
  const app = new Hono<HttpEnv>()
  const { storageOf, originsOf, messageOf } = requestParts(runtime)

  const limited = createRateLimiting(runtime.rateLimits, config.http)
  guardRoutes(app, routes, { ...runtime, limited })
  routePages(app, runtime, { routes, storageOf })
  const { required } = config.auth
  const checked = { ...auth, ...config.http, meanwhile: connectionAhead(legacy.streamable) }
  // All that the headers tell comes before the body.
  const json = jsonBody(config.http, bodyBudget)
  const { headers } = json
  const body = limited.bodies(json.body)
  const check = (path: ResourcePath, isRequired: boolean) =>
    bearer(checked, { resource: auth.resources.at(path), required: isRequired })
  const caller = (...door: Parameters<typeof check>) => limited.calls(check(...door))
  const scopes = (path: ResourcePath) => scopesFor(auth.requireScopes, auth.resources.at(path))
  /** Where the table has it. */
  const on = (path: string, ...handlers: Handler<HttpEnv>[]) => {
    const methods = routes.find(path)?.methods.filter((method) => method !== 'HEAD')
    if (methods !== undefined) app.on(methods, [path], ...handlers)
  }
  on('/mcp', headers, caller('/mcp', required), body, scopes('/mcp'), async (c) =>
    respond(c, await mcp.handle(messageOf(c))),
  )
  on('/http', headers, caller('/http', true), body, scopes('/http'), async (c) => {
    const message = messageOf(c)
    if (!isDirectCall(message.body)) return respond(c, await mcp.handle(message))
    return directResponse(c, await direct.call(message))
  })
  on('/sse', caller('/sse', required), (c) =>
    legacy.sse.open(c.req.query('session_id'), c.req.header('last-event-id'), originsOf(c)),
  )
  on('/messages', headers, caller('/sse', required), body, scopes('/sse'), (c) =>
    legacy.sse.post(c.req.query('session_id'), c.get('body'), originsOf(c)),
  )
  checkRouted(app.routes, routes)
  if (demo !== undefined) app.route(DEMO_API_PATH, demo.api)
  return app
}

/** What people and programs see besides the protocol. */
function routePages(app: Hono<HttpEnv>, runtime: Runtime, { routes, storageOf }: PagesDeps): void {
  const { config, store, publicUrl, auth, signIn, signsInAt, telemetry } = runtime
  const ttlSeconds = longestTokenSeconds(config.auth)
  const letInClients = createLetInClients(runtime, { ttlSeconds })
  if (routes.find('/') !== undefined) {
    app.route('/', landingRoutes({ ...runtime, letInClients }))
  }
  app.route('/', healthRoutes(store, runtime))
  if (runtime.logo !== undefined) app.route('/', logoRoutes(runtime.logo))
  if (routes.find('/metrics') !== undefined) {
    const access = { token: runtime.secrets.metricsToken, loopback: !config.isProduction }
    app.use('/metrics', metricsAtMainPort(telemetry.metrics, access))
  }
  app.route('/', connectRoutes(signIn, { publicUrl, signsInAt, storageOf }))
  app.route('/', callbackRoutes(signIn, publicUrl, telemetry.metrics))
  app.route('/', protectedResourceRoutes(auth.resources, auth.facts))
  const consents = runtime.authorizationServer?.consents
  if (consents !== undefined) {
    const deps = { ...runtime, consents, letInClients, storageOf }
    app.route('/', consentRoutes(deps, { publicUrl, signsInAt, browserTtlSeconds: ttlSeconds }))
  }
}

interface PagesDeps extends Pick<RequestParts, 'storageOf'> {
  readonly routes: RouteTable
}

type RequestParts = ReturnType<typeof requestParts>

/** What routes make of a request. */
function requestParts({ config, origins, storageBudgets }: Runtime) {
  const storageOf = (c: Context<HttpEnv>) =>
    storageBudgets(countedNetwork(c.env.incoming, config.http))
  const originsOf = (c: Context<HttpEnv>) =>
    origins.of(c.get('caller'), c.get('log'), () => storageOf(c))
  const messageOf = (c: Context<HttpEnv>) => ({
    request: c.req.raw,
    body: c.get('body'),
    origins: originsOf(c),
    connection: c.get('connection'),
    onClose: whenClosed(c.env.outgoing),
  })
  return { storageOf, originsOf, messageOf }
}
