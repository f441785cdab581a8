/** Composition root: wires all parts from the configuration, without listening for requests. */

import type { Hono } from 'hono'
import type { ResourceServer } from './auth/resource-server.ts'
import type { AuthorizationServer } from './auth/server/authorization-server.ts'
import type { Logo } from './config/logo-file.ts'
import { basePathOf } from './config/public-path.ts'
import type { Config, ConfigWarning, Secrets } from './config.ts'
import { createKeyRing } from './crypto/key-ring.ts'
import type { Demo } from './demo/demo.ts'
import type { Catalog } from './engine/discover.ts'
import type { OpenedServices } from './engine/open-services.ts'
import { NO_TEAM, type Team } from './engine/team.ts'
import type { Announce } from './engine/tool-context.ts'
import type { KeyPage } from './http/key.ts'
import { createPageTheme, type PageTheme } from './http/pages/page-theme.ts'
import type { Logger } from './logger.ts'
import { announceBy, type CallTool, createCallTool } from './mcp/call-tool.ts'
import { createDirectCalls, type DirectCalls } from './mcp/direct/direct-calls.ts'
import { createMcpEndpoint, type McpEndpoint } from './mcp/endpoint.ts'
import { createLegacy, type Legacy } from './mcp/legacy/legacy.ts'
import { createMcpSessions } from './mcp/legacy/mcp-session.ts'
import { createLimits, type Limits } from './mcp/limits.ts'
import { type ClusterNode, joinCluster } from './mcp/nodes/cluster-node.ts'
import { createEventBus } from './mcp/nodes/event-bus.ts'
import { createSealedStreams } from './mcp/nodes/sealed-streams.ts'
import { createSessionEnds, type SessionEnds } from './mcp/nodes/session-ends.ts'
import type { StreamCheckDeps } from './mcp/nodes/stream-checks.ts'
import { createRequestStates } from './mcp/request-state.ts'
import { type BuildServer, createServerFactory } from './mcp/server-factory.ts'
import { createAuth } from './runtime/authorization.ts'
import { implementationOf } from './runtime/implementation.ts'
import { observed } from './runtime/observed.ts'
import { checkProviders } from './runtime/provider-checks.ts'
import { createSessionParts } from './runtime/session-parts.ts'
import { createUpstreams } from './runtime/upstream-parts.ts'
import { catalogFor } from './served-catalog.ts'
import { followAccessChanges } from './session/access-changes.ts'
import type { AccountDeps } from './session/account.ts'
import { type Blocks, refuseBlockedTools } from './session/blocks.ts'
import type { SessionManager } from './session/manager.ts'
import { createRequestContexts, type RequestContextFactory } from './session/request-contexts.ts'
import type { SignIn } from './session/sign-in.ts'
import { createSignOut } from './session/sign-out.ts'
import type { Store } from './store/port.ts'
import { createRateLimits, type RateLimits } from './store/rate-limits.ts'
import { createStorageBudgets, type StorageBudgets } from './store/storage-budget.ts'
import { createStoreClock } from './store/store-clock.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
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

export interface Runtime extends RuntimeDeps {
  readonly telemetry: Telemetry
  /** Theme of the browser pages. */
  readonly theme: PageTheme
  readonly demo: Demo | undefined
  readonly auth: ResourceServer
  /** Undefined when an external issuer issues the tokens. */
  readonly authorizationServer: AuthorizationServer | undefined
  readonly signIn: SignIn
  /** What the account page needs, apart from the clients of its browser. */
  readonly accountParts: Omit<AccountDeps, 'store' | 'log' | 'authorizedClients'>
  /** Pages for pasting API keys, by upstream name. */
  readonly keyPages: ReadonlyMap<string, KeyPage>
  readonly firstUpstream: string
  /** Names of the upstreams after the first. */
  readonly upstreamNames: readonly string[]
  /** Host of the first upstream's sign-in page, as shown to users. */
  readonly signsInAt: string
  readonly sessions: SessionManager
  readonly requestContexts: RequestContextFactory
  readonly buildServer: BuildServer
  readonly mcp: McpEndpoint
  readonly direct: DirectCalls
  readonly legacy: Legacy
  readonly rateLimits: RateLimits
  readonly callTool: CallTool
  readonly limits: Limits
  /** Storage budgets of unauthenticated callers, per network. */
  readonly storageBudgets: StorageBudgets
  readonly node: ClusterNode
  readonly announce: Announce
  /** Warnings for the operator, shown by the doctor, which otherwise only probes from outside. */
  readonly warnings: () => readonly ConfigWarning[]
  /** True once graceful shutdown has started. */
  readonly stopping: () => boolean
  /** Unix time in milliseconds, by the clock of the store. */
  readonly now: () => number
  stop(): void
  /** Ends running calls, then closes services, node, upstream APIs and store, in this order. */
  close(): Promise<void>
}

const monotonicNow = () => performance.now()

export async function createRuntime(given: RuntimeDeps): Promise<Runtime> {
  const deps = await observed({ ...given, catalog: catalogFor(given.catalog, given.config) })
  const { config, log, store, catalog, team = NO_TEAM, publicUrl, telemetry } = deps
  const clock = createStoreClock({ store, now: Date.now, monotonicNow })
  const { now } = clock
  const keyRing = createKeyRing(deps.secrets.encryptionKeys)
  const upstreams = await createUpstreams(deps, keyRing, now)
  const { demo, first: upstream, further } = upstreams
  const parts = createSessionParts(deps, upstreams, keyRing, now)
  const streams = createSealedStreams(store.streams, keyRing)
  const { node, bus, announce } = await joinOthers(deps, streams)
  // Without the store, the node is not ready.
  await Promise.all([clock.start(), parts.blocks.refresh().catch(() => undefined)])
  const sessionEnds = createEnds(deps, node, { ...parts, now })
  const signOut = createSignOut({ ...parts, ...upstream, broadcastEnd: sessionEnds.announce, log })
  const mcpSessions = createMcpSessions({ ...parts, store, node, now }, config.session)
  const found = { ...parts, ...config.session, signOut, mcpSessions, now }
  const requestContexts = createRequestContexts(found)
  const states = createRequestStates({ keyRing, store, now }, config.signIn)
  const counted = { store, log, monotonicNow, onOver: telemetry.metrics.rateLimited }
  const rateLimits = createRateLimits(counted, config.http)
  const served = { ...servedBy(deps, parts), states, bus, rateLimits, telemetry }
  const buildServer = createServerFactory(served)
  const limits = createLimits(config.http, telemetry.metrics)
  const common = { ...served, buildServer, sessionEnds, limits, keyRing, log }
  const legacyParts = { node, store, streams, mcpSessions, ...config.session }
  const legacy = createLegacy({ ...common, ...legacyParts, basePath: basePathOf(publicUrl) })
  const mcp = await createMcpEndpoint({ ...common, legacy: legacy.streamable })
  const shown = { ...config.app, ...config.pages, ...config.serves }
  const theme = createPageTheme({ ...shown, publicUrl, logo: deps.logo })
  const own = { theme, keyRing, signOut, broadcastRevoked: sessionEnds.announce, now }
  const { personalTokens, ...authorization } = await createAuth(deps, { ...parts, ...own })

  let stopping = false
  return {
    ...deps,
    ...{ theme, demo, ...authorization },
    accountParts: { ...parts.account, personalTokens, signOut },
    ...{ signIn: parts.signIn, sessions: parts.sessions },
    ...{ keyPages: parts.keyPages, upstreamNames: further.map(({ name }) => name) },
    ...{ signsInAt: upstream.signsInAt, firstUpstream: upstream.name },
    ...{ requestContexts, buildServer, mcp, legacy },
    direct: createDirectCalls({ catalog, team, modern: mcp.modern, limits }),
    ...{ rateLimits, limits, callTool: createCallTool(served) },
    storageBudgets: createStorageBudgets(rateLimits, config.http),
    ...{ node, announce, now },
    ...checkProviders(config, upstream, ...further, authorization.auth),
    stopping: () => stopping,
    stop() {
      stopping = true
    },
    async close() {
      await mcp.close()
      await deps.services?.close()
      clock.stop()
      rateLimits.close()
      await node.close()
      await Promise.all([upstream, ...further].map(({ api }) => api.close()))
      await store.close()
      telemetry.metrics.close()
    },
  }
}

/** Joins the cluster and opens the event bus, which fans changes out to all nodes. */
async function joinOthers({ store, log, services }: RuntimeDeps, streams: Store['streams']) {
  const node = await joinCluster({ store, streams, log })
  const bus = createEventBus(node, log)
  const announce = announceBy((event) => void bus.publish(event))
  services?.join(announce)
  return { node, bus, announce }
}

/** What ends open streams: the end of their session, and changes of access by an operator. */
function createEnds(deps: RuntimeDeps, node: ClusterNode, parts: EndParts): SessionEnds {
  const sessionEnds = createSessionEnds(node, parts, deps.config.http)
  followAccessChanges({ ...deps, ...parts, node, sessionEnds })
  return sessionEnds
}

type EndParts = StreamCheckDeps & { readonly blocks: Blocks }

/** The parts of each MCP server that depend on the deployment. */
function servedBy(deps: RuntimeDeps, { blocks }: { readonly blocks: Blocks }) {
  const { config, catalog, team = NO_TEAM } = deps
  return {
    ...config.serves,
    catalog,
    settings: {
      ...{ ...config.tools, team, auditSubject: config.log.auditSubject },
      refuseBlocked: refuseBlockedTools(blocks),
    },
    about: implementationOf(deps),
    instructions: config.introduction?.instructions,
  }
}
