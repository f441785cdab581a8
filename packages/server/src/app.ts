/** The route map: every middleware and route, in order, and nothing else. */

import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import { longestTokenSeconds } from './auth/resource-server.ts'
import type { ResourcePath } from './auth/resources.ts'
import { DEMO_API_PATH } from './config/demo-paths.ts'
import { auditCall, type CallAudit } from './engine/call.ts'
import { NO_TEAM } from './engine/team.ts'
import { bearer, createIdentify } from './http/bearer.ts'
import { countedNetwork } from './http/client-address.ts'
import { guardRoutes } from './http/guard-routes.ts'
import { healthRoutes } from './http/health.ts'
import type { HttpEnv } from './http/http-env.ts'
import { keyRoutes } from './http/key.ts'
import { metricsAtMainPort } from './http/metrics-route.ts'
import { protectedResourceRoutes } from './http/oauth/protected-resource-metadata.ts'
import { accountRoutes } from './http/pages/account-routes.ts'
import { callbackRoutes } from './http/pages/callback.ts'
import { connectRoutes } from './http/pages/connect.ts'
import { consentRoutes } from './http/pages/consent.ts'
import { landingRoutes } from './http/pages/landing.ts'
import { logoRoutes } from './http/pages/logo-route.ts'
import { type CallRates, createRateLimiting } from './http/rate-limit.ts'
import { respond } from './http/respond.ts'
import { checkRouted, type RouteTable } from './http/routes.ts'
import { teamRoutes } from './http/team-routes.ts'
import { whenClosed } from './http/when-closed.ts'
import type { Runtime } from './runtime.ts'
import { Account } from './session/account.ts'
import { createAccountVisits } from './session/account-visits.ts'
import { createAuthorizedClients } from './session/authorized-clients.ts'

export interface AppDeps {
  readonly rates: CallRates | undefined
  /** Routes to serve; any other path is answered with 404. */
  readonly routes: RouteTable
}

export function createApp(runtime: Runtime, { rates, routes }: AppDeps): Hono<HttpEnv> {
  const { config, auth, blocks, mcp, legacy, demo, log, theme, publicUrl } = runtime
  const app = new Hono<HttpEnv>()
  const { storageOf, requestContextsOf, messageOf } = requestParts(runtime)

  const limited = createRateLimiting(runtime.rateLimits, config.http)
  guardRoutes(app, routes, { log, theme, publicUrl, limited })
  routePages(app, runtime, { routes, storageOf })
  const { trustedProxies } = config.http
  const { tokens, facts } = auth
  const identify = createIdentify({ tokens, scopes: facts.scopes, blocks, rates })
  /** Authenticates requests without a body; `call/` has already handled the callers' POSTs. */
  const caller = (path: ResourcePath, isRequired: boolean): MiddlewareHandler<HttpEnv> => {
    const requirement = { resource: auth.resources.at(path), required: isRequired }
    return bearer({ identify, rates, trustedProxies }, requirement)
  }
  const { required } = config.auth
  /** Registers the handlers for the methods that the route table lists for the path. */
  const on = (path: string, ...handlers: Handler<HttpEnv>[]) => {
    const served = routes.find(path)?.methods ?? []
    const methods = served.filter((method) => method !== 'HEAD' && method !== 'POST')
    if (served.includes('POST')) app.post(path, handed)
    if (methods.length > 0) app.on(methods, [path], ...handlers)
  }
  on('/mcp', caller('/mcp', required), async (c) => respond(c, await mcp.handle(messageOf(c))))
  on('/http', caller('/http', true), async (c) => respond(c, await mcp.handle(messageOf(c))))
  on('/sse', caller('/sse', required), (c) =>
    legacy.sse.open(c.req.query('session_id'), c.req.header('last-event-id'), messageOf(c)),
  )
  on('/messages')
  const { team = NO_TEAM, announce } = runtime
  const identityOf = (c: Context<HttpEnv>) => requestContextsOf(c).identity
  app.route(
    '/',
    teamRoutes({
      ...{ team, publicUrl, announce, bearer: caller('/mcp', true), identityOf },
      timeoutSeconds: config.tools.timeoutSeconds,
    }),
  )
  checkRouted(app.routes, routes)
  if (demo !== undefined) app.route(DEMO_API_PATH, demo.api)
  return app
}

/** Answers a caller's POST that `call/` has handed over. */
function handed(c: Context<HttpEnv>): Response | Promise<Response> {
  const respondTo = c.env.call?.respond
  if (respondTo === undefined) throw new Error('A POST of a caller was not handed over')
  return respondTo(c)
}

/** Routes that are not part of MCP: browser pages, health, metrics, metadata and consent. */
function routePages(app: Hono<HttpEnv>, runtime: Runtime, { routes, storageOf }: PagesDeps): void {
  const { config, store, publicUrl, catalog, team, auth, signIn, signsInAt, telemetry } = runtime
  const { log, now, sessions, stopping, warnings } = runtime
  const ttlSeconds = longestTokenSeconds(config.auth)
  const authorizedClients = createAuthorizedClients({ store, sessions }, { ttlSeconds })
  if (routes.find('/') !== undefined) {
    const shown = { config, publicUrl, catalog, team, auth, signsInAt, authorizedClients }
    app.route('/', landingRoutes(shown))
  }
  app.route('/', healthRoutes(store, { stopping, warnings, readiness: team?.readiness }))
  if (runtime.logo !== undefined) app.route('/', logoRoutes(runtime.logo))
  if (routes.find('/metrics') !== undefined) {
    const access = { token: runtime.secrets.metricsToken, loopback: !config.isProduction }
    app.use('/metrics', metricsAtMainPort(telemetry.metrics, access))
  }
  const { ttlSeconds: linkTtlSeconds } = config.signIn
  app.route('/', connectRoutes(signIn, { publicUrl, signsInAt, linkTtlSeconds, storageOf, now }))
  const { upstreamNames: names, keyPages } = runtime
  const { auditSubject } = config.log
  const first = names.length > 0 ? runtime.firstUpstream : undefined
  app.route(
    '/',
    callbackRoutes(signIn, publicUrl, telemetry.metrics, { first, names, auditSubject }),
  )
  if (keyPages.size > 0) {
    app.route('/', keyRoutes({ publicUrl, keyPages, metrics: telemetry.metrics, storageOf }))
  }
  app.route('/', protectedResourceRoutes(auth.resources, auth.facts))
  const consents = runtime.authorizationServer?.consents
  if (consents !== undefined) {
    const deps = { consents, signIn, sessions, authorizedClients, storageOf, now }
    const scopeWords = config.introduction?.scopes
    const options = { publicUrl, signsInAt, scopeWords, browserTtlSeconds: ttlSeconds }
    app.route('/', consentRoutes(deps, options))
    const { authorizations, upstreams, identity, personalTokens, signOut } = runtime.accountParts
    const account = new Account({
      ...{ store, log, sessions, authorizations, authorizedClients },
      ...{ upstreams, identity, personalTokens, signOut },
    })
    const visits = createAccountVisits(sessions)
    app.route('/', accountRoutes({ account, visits, signIn, storageOf }, { publicUrl, scopeWords }))
  }
}

interface PagesDeps extends Pick<RequestParts, 'storageOf'> {
  readonly routes: RouteTable
}

type RequestParts = ReturnType<typeof requestParts>

/** Derives from a request what the routes need: storage budget, contexts and message. */
function requestParts({ config, requestContexts, storageBudgets }: Runtime) {
  const storageOf = (c: Context<HttpEnv>) =>
    storageBudgets(countedNetwork(c.env.incoming, config.http))
  const requestContextsOf = (c: Context<HttpEnv>) => {
    const log = c.get('log')
    const audit = (entry: CallAudit) => auditCall(log, entry)
    return requestContexts.of(c.get('caller'), { log, audit, storageBudget: () => storageOf(c) })
  }
  const messageOf = (c: Context<HttpEnv>) => ({
    request: c.req.raw,
    body: undefined,
    contexts: requestContextsOf(c),
    onClose: whenClosed(c.env.outgoing),
    disconnect: () => void c.env.outgoing.destroy(),
  })
  return { storageOf, requestContextsOf, messageOf }
}
