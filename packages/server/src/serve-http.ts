/** Serves HTTP: listens, mounts the app, and shuts down gracefully. */

import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createApp } from './app.ts'
import { createCalls } from './calls.ts'
import { DEMO_PROVIDER_PATH } from './config/demo-paths.ts'
import { basePathOf } from './config/public-path.ts'
import { createHostGuard, logRefusals } from './http/allowed-hosts.ts'
import { createBodyBudget } from './http/body-budget.ts'
import { countedNetwork } from './http/client-address.ts'
import {
  createHttpServer,
  type HttpHandlers,
  listen,
  logAcceptErrors,
  type NodeHandler,
  throwWithRemedy,
} from './http/http-server.ts'
import { openMetricsPort } from './http/metrics-route.ts'
import { limitOAuthBody } from './http/oauth/oauth-body-limit.ts'
import { limitOAuthRate } from './http/oauth/oauth-rate-limit.ts'
import { authorizationMounts } from './http/oauth/oauth-routes.ts'
import { createRequestObserver } from './http/observe-requests.ts'
import { createCallRates } from './http/rate-limit.ts'
import { createRefuse } from './http/refuse.ts'
import { type RouteTable, routesOf } from './http/routes.ts'
import { socketsWithin } from './http/socket-limit.ts'
import { teamRows } from './http/team-routes.ts'
import type { StopCause } from './process/shutdown.ts'
import { createRuntime, type Runtime, type RuntimeDeps } from './runtime.ts'

/** Graceful shutdown: longest wait for running calls; orchestrators kill the process after 30 s. */
const DRAIN_MS = 25_000
/** After a fault, running calls have 5 s; in the first, the load balancer sees readiness fail. */
const FAULT_DELAY_MS = 1000
const FAULT_DRAIN_MS = 4000

export interface HttpService {
  readonly publicUrl: string
  /** The local port in use. */
  readonly port: number
  /** The dedicated port of `/metrics`, if configured. */
  readonly metricsPort: number | undefined
  /** Graceful shutdown: fails readiness, drains running calls, then closes everything. */
  stop(cause?: StopCause): Promise<void>
}

/** Starts serving; rejects if the address is in use. `drainMs` is the longest wait for calls. */
export async function serveHttp(
  deps: Omit<RuntimeDeps, 'publicUrl' | 'pagesReady' | 'transport'>,
  drainMs = DRAIN_MS,
): Promise<HttpService> {
  const { host, port, publicUrl: configured } = deps.config.http
  const maxSockets = socketsWithin(deps.config.http.maxSockets, deps.log)
  let handlers: HttpHandlers | undefined
  const { server, stopKeepingAlive, stopAccepting, drain } = createHttpServer(() => handlers, {
    keepAliveSeconds: deps.config.http.keepAliveSeconds,
    maxSockets,
  })
  const taken = await listen(server, host, port).catch((error: Error) =>
    throwWithRemedy(error, { host: 'MASK_MCP_HOST', port: 'MASK_MCP_PORT' }),
  )
  logAcceptErrors(server, deps.log)
  const publicUrl = configured ?? `http://localhost:${taken}`
  const runtime = await createRuntime({
    ...deps,
    publicUrl,
    pagesReady: async () => undefined,
    transport: 'http',
  })
  handlers = httpHandlers(runtime)
  server.on('drop', () => runtime.telemetry.metrics.rateLimited('sockets'))
  const isWorker = deps.shareMetrics !== undefined
  const metrics = isWorker ? undefined : await openMetricsPort(runtime.telemetry.metrics, deps)
  return {
    publicUrl,
    port: taken,
    metricsPort: metrics?.port,
    async stop(cause = 'signal') {
      runtime.stop()
      stopKeepingAlive()
      // The other workers accept connections at the same port.
      if (isWorker && cause === 'fault') stopAccepting()
      const delayMs = deps.config.http.stopDelaySeconds * 1000
      await delay(cause === 'fault' ? Math.min(delayMs, FAULT_DELAY_MS) : delayMs)
      runtime.legacy.releaseStreams()
      const longestMs = cause === 'fault' ? Math.min(drainMs, FAULT_DRAIN_MS) : drainMs
      await Promise.all([drain(longestMs), runtime.legacy.finishCalls(longestMs)])
      await runtime.close()
      metrics?.close()
    },
  }
}

/** The route table of this server, by its configuration and by what the project declares. */
export function routeTableOf(runtime: Runtime): RouteTable {
  const { config, demo, authorizationServer } = runtime
  return routesOf({
    serves: config.serves,
    servesMetrics: config.serves.metrics && config.metrics.port === undefined,
    hasLogo: runtime.logo !== undefined,
    hasDemo: demo !== undefined,
    hasDemoApi: demo !== undefined && runtime.demoApi === undefined,
    takesKeys: runtime.keyPages.size > 0,
    authorizesClients: authorizationServer !== undefined,
    ofTeam: teamRows(runtime.team?.routes ?? []),
  })
}

/** Creates the handlers that the Node server dispatches requests to. */
export function httpHandlers(runtime: Runtime): HttpHandlers {
  const { config, log, publicUrl, demo, authorizationServer, telemetry } = runtime
  const routes = routeTableOf(runtime)
  const guard = createHostGuard({
    publicUrl,
    hosts: config.http.allowedHosts,
    origins: config.http.allowedOrigins,
    loopbackOrigins: !config.isProduction,
    routes,
  })
  const bodyBudget = createBodyBudget(config.http.maxBodyBytesInProgress, () =>
    telemetry.metrics.rateLimited('body_bytes'),
  )
  const limitRate = limitOAuthRate(runtime.rateLimits, config.http)
  const storageOf = (request: IncomingMessage) =>
    runtime.storageBudgets(countedNetwork(request, config.http))
  const limit = (handler: NodeHandler) => limitOAuthBody(limitRate(handler), bodyBudget)
  const mounts = authorizationServer
    ? authorizationMounts(authorizationServer, { log, limit, storageOf, theme: runtime.theme })
    : new Map<string, NodeHandler>()
  if (demo !== undefined) mounts.set(DEMO_PROVIDER_PATH, demo.handler)
  const rates = createCallRates(runtime.rateLimits, config.http)
  const app = createApp(runtime, { rates, routes })
  const calls = createCalls(runtime, { rates, routes, bodyBudget, fetch: app.fetch })
  const streams = routes.all.filter((route) => route.streams).map(({ path }) => path)
  const observe = createRequestObserver(telemetry, routes.labelOf, new Set(streams))
  const basePath = basePathOf(publicUrl)
  const refuse = createRefuse(app.fetch, routes)
  const { fetch } = app
  return { guard: logRefusals(guard, log), refuse, calls, fetch, mounts, observe, basePath }
}
