/** The map: every middleware and route, in order, and nothing else. */

import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import { longestTokenSeconds } from './auth/resource-server.ts'
import type { ResourcePath } from './auth/resources.ts'
import { DEMO_API_PATH } from './config/demo-paths.ts'
import { auditCall, type CallLog } from './engine/call.ts'
import { NO_TEAM } from './engine/team.ts'
import { bearer } from './http/bearer.ts'
import { callbackRoutes } from './http/callback.ts'
import { countedNetwork } from './http/client-address.ts'
import { connectRoutes } from './http/connect.ts'
import { consentRoutes } from './http/consent.ts'
import type { HttpEnv } from './http/context.ts'
import { guardRoutes } from './http/guard-routes.ts'
import { healthRoutes } from './http/health.ts'
import { keyRoutes } from './http/key.ts'
import { landingRoutes } from './http/landing.ts'
import { logoRoutes } from './http/logo.ts'
import { metricsAtMainPort } from './http/metrics.ts'
import { protectedResourceRoutes } from './http/protected-resource.ts'
import { type CallRates, createRateLimiting } from './http/rate-limit.ts'
import { respond } from './http/respond.ts'
import { checkRouted, type RouteTable } from './http/routes.ts'
import { teamRoutes } from './http/team-routes.ts'
import { whenClosed } from './http/when-closed.ts'
import type { Runtime } from './runtime.ts'
import { createLetInClients } from './session/let-in-clients.ts'

export interface AppDeps {
  readonly rates: CallRates
  /** What is served; what is not in it is not found. */
  readonly routes: RouteTable
}

export function createApp(runtime: Runtime, { rates, routes }: AppDeps): Hono<HttpEnv> {
  const { config, auth, mcp, legacy, demo } = runtime
  const app = new Hono<HttpEnv>()
  const { storageOf, originsOf, messageOf } = requestParts(runtime)

  const limited = createRateLimiting(runtime.rateLimits, config.http)
  guardRoutes(app, routes, { ...runtime, limited })
  routePages(app, runtime, { routes, storageOf })
  /** A request without a body: the POSTs of callers have been through `call/`. */
  const caller = (path: ResourcePath, isRequired: boolean): MiddlewareHandler<HttpEnv> => {
    const door = { resource: auth.resources.at(path), required: isRequired }
    return bearer({ ...auth, ...config.http, rates }, door)
  }
  const { required } = config.auth
  /** Where the table has it. */
  const on = (path: string, ...handlers: Handler<HttpEnv>[]) => {
    const served = routes.find(path)?.methods ?? []
    const methods = served.filter((method) => method !== 'HEAD' && method !== 'POST')
    if (served.includes('POST')) app.post(path, handed)
    if (methods.length > 0) app.on(methods, [path], ...handlers)
  }
  on('/mcp', caller('/mcp', required), async (c) => respond(c, await mcp.handle(messageOf(c))))
  on('/http', caller('/http', true), async (c) => respond(c, await mcp.handle(messageOf(c))))
  on('/sse', caller('/sse', required), (c) =>
    legacy.sse.open(c.req.query('session_id'), c.req.header('last-event-id'), originsOf(c)),
  )
  on('/messages')
  const { team = NO_TEAM } = runtime
  const identityOf = (c: Context<HttpEnv>) => originsOf(c).identity
  app.route('/', teamRoutes({ ...runtime, team, bearer: caller('/mcp', true), identityOf }))
  checkRouted(app.routes, routes)
  if (demo !== undefined) app.route(DEMO_API_PATH, demo.api)
  return app
}

/** Answers a POST of a caller, which `call/` has handed over. */
function handed(c: Context<HttpEnv>): Response | Promise<Response> {
  const respondTo = c.env.call?.respond
  if (respondTo === undefined) throw new Error('A POST of a caller was not handed over')
  return respondTo(c)
}

/** What people and programs see besides the protocol. */
function routePages(app: Hono<HttpEnv>, runtime: Runtime, { routes, storageOf }: PagesDeps): void {
  const { config, store, publicUrl, auth, signIn, signsInAt, telemetry } = runtime
  const ttlSeconds = longestTokenSeconds(config.auth)
  const letInClients = createLetInClients(runtime, { ttlSeconds })
  if (routes.find('/') !== undefined) {
    app.route('/', landingRoutes({ ...runtime, letInClients }))
  }
  const { readiness } = runtime.team ?? {}
  app.route('/', healthRoutes(store, { ...runtime, readiness }))
  if (runtime.logo !== undefined) app.route('/', logoRoutes(runtime.logo))
  if (routes.find('/metrics') !== undefined) {
    const access = { token: runtime.secrets.metricsToken, loopback: !config.isProduction }
    app.use('/metrics', metricsAtMainPort(telemetry.metrics, access))
  }
  app.route('/', connectRoutes(signIn, { publicUrl, signsInAt, storageOf }))
  const { upstreamNames: names, keyPages } = runtime
  const first = names.length > 0 ? runtime.firstUpstream : undefined
  app.route('/', callbackRoutes(signIn, publicUrl, telemetry.metrics, { first, names }))
  if (keyPages.size > 0) {
    app.route('/', keyRoutes({ publicUrl, keyPages, metrics: telemetry.metrics, storageOf }))
  }
  app.route('/', protectedResourceRoutes(auth.resources, auth.facts))
  const consents = runtime.authorizationServer?.consents
  if (consents !== undefined) {
    const deps = { ...runtime, consents, letInClients, storageOf }
    const scopeWords = config.introduction?.scopes ?? {}
    const options = { publicUrl, signsInAt, scopeWords, browserTtlSeconds: ttlSeconds }
    app.route('/', consentRoutes(deps, options))
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
    origins.of(c.get('caller'), logOf(c), () => storageOf(c))
  const messageOf = (c: Context<HttpEnv>) => ({
    request: c.req.raw,
    body: undefined,
    origins: originsOf(c),
    onClose: whenClosed(c.env.outgoing),
  })
  return { storageOf, originsOf, messageOf }
}

function logOf(c: Context<HttpEnv>): CallLog {
  const log = c.get('log')
  return { log, audit: (entry) => auditCall(log, entry) }
}
