/** Composition root: wires all parts from the configuration, without listening for requests. */

import type { Hono } from 'hono'
import type { Logo } from './config/logo-file.ts'
import type { Config, Secrets } from './config.ts'
import { createKeyRing } from './crypto/key-ring.ts'
import type { Catalog } from './engine/discover.ts'
import type { OpenedServices } from './engine/open-services.ts'
import type { Team } from './engine/team.ts'
import { createPageTheme, type PageTheme } from './http/pages/page-theme.ts'
import type { Logger } from './logger.ts'
import { announceBy } from './mcp/call-tool.ts'
import type { McpEndpoint } from './mcp/endpoint.ts'
import { McpSessions } from './mcp/legacy/mcp-sessions.ts'
import { type ClusterNode, joinCluster } from './mcp/nodes/cluster-node.ts'
import { createEventBus } from './mcp/nodes/event-bus.ts'
import { createSealedStreams } from './mcp/nodes/sealed-streams.ts'
import { createSessionEnds, type SessionEnds } from './mcp/nodes/session-ends.ts'
import { createAuth } from './runtime/authorization.ts'
import { createMcpParts } from './runtime/mcp-parts.ts'
import { type Observed, observed } from './runtime/observed.ts'
import { checkProviders } from './runtime/provider-checks.ts'
import { createSessionParts } from './runtime/session-parts.ts'
import { createUpstreams, type UpstreamParts } from './runtime/upstream-parts.ts'
import { catalogFor } from './served-catalog.ts'
import { followAccessChanges } from './session/access-changes.ts'
import { createRequestContexts } from './session/request-contexts.ts'
import { createSignOut, type SignOut } from './session/sign-out.ts'
import type { Store } from './store/port.ts'
import { createRateLimits, type RateLimits } from './store/rate-limits.ts'
import { createStorageBudgets } from './store/storage-budget.ts'
import { createStoreClock, type StoreClock } from './store/store-clock.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Tracing } from './telemetry/tracing.ts'

export interface RuntimeDeps {
  readonly config: Config
  readonly secrets: Secrets
  readonly log: Logger
  readonly store: Store
  readonly catalog: Catalog
  /** Settings, services, hooks and routes of the project. */
  readonly team?: Team | undefined
  /** Closed after running calls have ended. */
  readonly services?: OpenedServices | undefined
  /** Base URL of this server for browsers and clients. */
  readonly publicUrl: string
  /** Awaited before a sign-in link is issued: the linked page must be reachable by then. */
  readonly pagesReady: () => Promise<void>
  /** Over stdio there is one user and no authorization. */
  readonly transport: 'http' | 'stdio'
  /** CA certificate (PEM) that replaces the default CAs when fetching client metadata documents. */
  readonly documentCa?: string | undefined
  /** Set in a worker: adds the metrics of the other workers to each scrape. */
  readonly shareMetrics?: ((own: Metrics) => Metrics) | undefined
  /** Set if traces are enabled. */
  readonly tracing?: Tracing | undefined
  /** Image that pages and clients show for the server. */
  readonly logo?: Logo | undefined
  /** Replaces the demo's built-in upstream API, a bank. */
  readonly demoApi?: Hono | undefined
}

const monotonicNow = () => performance.now()

/** The dependencies, and all parts that routes and transports use. */
export type Runtime = Awaited<ReturnType<typeof createRuntime>>

export async function createRuntime(given: RuntimeDeps) {
  const deps = await observed({ ...given, catalog: catalogFor(given.catalog, given.config) })
  const { config, log, store } = deps
  const clock = createStoreClock({ store, now: Date.now, monotonicNow })
  const { now } = clock
  const keyRing = createKeyRing(deps.secrets.encryptionKeys)
  const { demo, first, further } = await createUpstreams(deps, keyRing, now)
  const upstreams = [first, ...further]
  const parts = createSessionParts({ ...deps, monotonicNow }, { first, further }, keyRing, now)
  const { sessions, blocks, account, signIn, keyPages, firstUpstream } = parts
  const streams = createSealedStreams(store.streams, keyRing)
  const { node, bus, announce } = await joinOthers(deps, streams)
  // Without the store, the node is not ready.
  await Promise.all([clock.start(), blocks.refresh().catch(() => undefined)])
  const { mayContinue, tokenUntil } = parts
  const sessionEnds = createSessionEnds(node, { now, mayContinue, tokenUntil }, config.http)
  followAccessChanges({ node, store, blocks, sessionEnds, log })
  const signOut = signOutOf(deps, parts, first, sessionEnds)
  const mcpSessions = new McpSessions({ store, node, sessions, now }, config.session)
  const rateLimits = rateLimitsOf(deps)
  const mcp = await createMcpParts(deps, {
    ...{ keyRing, now, streams, node, bus, blocks, sessionEnds, mcpSessions, rateLimits },
  })
  const theme = themeOf(deps)
  const { personalTokens, auth, authorizationServer } = await authorizationOf(deps, parts, {
    ...{ theme, keyRing, now, signOut, broadcastRevoked: sessionEnds.announce },
  })
  return {
    ...deps,
    ...mcp,
    ...{ theme, demo, auth, authorizationServer, sessions, blocks, signIn, node, announce },
    now,
    /** What the account page needs, apart from the clients of its browser. */
    accountParts: { ...account, personalTokens, signOut },
    /** Pages for pasting API keys, by upstream name. */
    keyPages,
    firstUpstream,
    /** Names of the upstreams after the first. */
    upstreamNames: further.map(({ name }) => name),
    /** Host of the first upstream's sign-in page, as shown to users. */
    signsInAt: first.signsInAt,
    requestContexts: requestContextsOf(deps, parts, { signOut, mcpSessions, now }),
    rateLimits,
    /** Storage budgets of unauthenticated callers, per network. */
    storageBudgets: createStorageBudgets(rateLimits, config.http),
    /** Warnings for the operator, shown by the doctor, which otherwise only probes from outside. */
    warnings: checkProviders(config, [...upstreams, auth]),
    ...createLifecycle(deps, { mcp: mcp.mcp, clock, rateLimits, node, upstreams }),
  }
}

interface Closed {
  readonly mcp: Pick<McpEndpoint, 'close'>
  readonly clock: StoreClock
  readonly rateLimits: RateLimits
  readonly node: Pick<ClusterNode, 'close'>
  readonly upstreams: readonly UpstreamParts[]
}

function createLifecycle(
  { services, store, telemetry }: RuntimeDeps & Observed,
  { mcp, clock, rateLimits, node, upstreams }: Closed,
) {
  let stopping = false
  return {
    /** True once graceful shutdown has started. */
    stopping: () => stopping,
    stop(): void {
      stopping = true
    },
    /** Ends running calls, then closes services, node, upstream APIs and store, in this order. */
    async close(): Promise<void> {
      await mcp.close()
      await services?.close()
      clock.stop()
      rateLimits.close()
      await node.close()
      await Promise.all(upstreams.map(({ api }) => api.close()))
      await store.close()
      telemetry.metrics.close()
    },
  }
}

/** Joins the cluster and opens the event bus, which fans changes out to all nodes. */
async function joinOthers({ store, log, services }: RuntimeDeps, streams: Store['streams']) {
  const node = await joinCluster({ store, streams, log, monotonicNow })
  const bus = createEventBus(node, log)
  const announce = announceBy((event) => void bus.publish(event))
  services?.join(announce)
  return { node, bus, announce }
}

function rateLimitsOf({ config, log, store, telemetry }: RuntimeDeps & Observed): RateLimits {
  const { rateLimited: onOver } = telemetry.metrics
  return createRateLimits({ store, log, monotonicNow, onOver }, config.http)
}

type SessionParts = ReturnType<typeof createSessionParts>

function signOutOf(
  { log }: RuntimeDeps,
  { sessions, keptSignIns, credentials, further }: SessionParts,
  { provider }: UpstreamParts,
  sessionEnds: SessionEnds,
): SignOut {
  const broadcastEnd = sessionEnds.announce
  return createSignOut({
    ...{ sessions, keptSignIns, credentials, provider, further, broadcastEnd, log },
  })
}

interface ContextParts {
  readonly signOut: SignOut
  readonly mcpSessions: McpSessions
  readonly now: () => number
}

function requestContextsOf(
  { config }: RuntimeDeps,
  parts: SessionParts,
  { signOut, mcpSessions, now }: ContextParts,
) {
  const { sessions, credentials, links, linkUrl, signInUpstreams, onBehalf } = parts
  const { blocks, upstreamAccess, serviceAccess, serviceAccounts } = parts
  return createRequestContexts({
    ...{ sessions, credentials, links, linkUrl, signInUpstreams, onBehalf, signOut, now },
    ...{ blocks, upstreamAccess, serviceAccess, serviceAccounts, mcpSessions },
    unusedTtlSeconds: config.session.unusedTtlSeconds,
    dataLimitBytes: config.session.dataLimitBytes,
  })
}

function authorizationOf(
  deps: Parameters<typeof createAuth>[0],
  parts: SessionParts,
  own: Required<
    Pick<
      Parameters<typeof createAuth>[1],
      'theme' | 'keyRing' | 'now' | 'signOut' | 'broadcastRevoked'
    >
  >,
) {
  const { sessions, blocks, credentials, firstUpstream, authorizations } = parts
  const { keptSignIns, isSignedIn, settleSignIn } = parts
  const { theme, keyRing, now, signOut, broadcastRevoked } = own
  return createAuth(deps, {
    ...{ theme, keyRing, now, signOut, broadcastRevoked },
    ...{ sessions, blocks, credentials, firstUpstream, authorizations },
    ...{ keptSignIns, isSignedIn, settleSignIn },
  })
}

function themeOf({ config, publicUrl, logo }: RuntimeDeps): PageTheme {
  const { color, supportUrl } = config.pages
  const { landingPage } = config.serves
  const { name } = config.app
  return createPageTheme({
    ...{ name, publicUrl, color, logo, landingPage },
    ...(supportUrl !== undefined && { supportUrl }),
  })
}
