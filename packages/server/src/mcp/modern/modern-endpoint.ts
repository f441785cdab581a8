/** The 2026 era on `/mcp`: stateless requests (2026-07-28, basic/transports). */

import {
  type AuthInfo,
  createMcpHandler,
  type InboundClassificationOutcome,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server'
import { SESSION_META_KEY, type ToolOutcome } from '../../engine/run-tool.ts'
import type { Logger } from '../../logger.ts'
import type { CallToolDeps } from '../call-tool.ts'
import { withStatus } from '../handler-errors.ts'
import type { Limits } from '../limits.ts'
import { endWithSession } from '../listen-stream.ts'
import type { McpAnswer, McpRequest } from '../mcp-request.ts'
import type { SessionEnds, TokenSession } from '../nodes/session-ends.ts'
import { boundResponse } from '../outgoing-messages.ts'
import {
  asAuthInfo,
  attachOutcome,
  audienceOf,
  type RequestContext,
  requestContextFrom,
} from '../request-context.ts'
import type { BuildServer } from '../server-factory.ts'
import type { StandardHeaders } from '../standard-headers.ts'
import { createKnownClients } from './known-clients.ts'
import { createListenRequests, isListen, type ListenRequest } from './listen-requests.ts'
import { createModernServers, serveModern } from './modern-exchange.ts'
import { createPlainRequest } from './plain-requests.ts'

export interface ModernDeps {
  readonly calls: CallToolDeps
  readonly buildServer: BuildServer
  readonly sessionEnds: SessionEnds
  readonly limits: Limits
  readonly log: Logger
}

/** A fast-path tool call whose tool has run, or still runs. */
export interface RunCall {
  readonly message: JSONRPCRequest
  readonly requestContext: RequestContext
  readonly outcome: Promise<ToolOutcome>
}

export async function createModernEndpoint(deps: ModernDeps) {
  const { calls, buildServer, limits } = deps
  const servers = await createModernServers(buildServer)
  const plainRequest = createPlainRequest(calls.catalog)
  const clients = createKnownClients()
  const sdk = createSdkHandler(deps)
  const listen = createListen(deps, sdk)

  async function serve(
    { request, onClose }: Exchanged,
    message: JSONRPCRequest,
    authInfo: AuthInfo,
    streams = false,
  ): Promise<McpAnswer> {
    const server = servers.of(audienceOf(authInfo))
    const answer = await serveModern(server, { message, authInfo, request, onClose, streams })
    return withStatus(answer, authInfo)
  }

  return {
    servers,
    clients,
    async post(
      mcp: McpRequest,
      classified: InboundClassificationOutcome,
      headers: StandardHeaders,
    ): Promise<McpAnswer> {
      const { contexts, onClose } = mcp
      if (isListen(mcp.body)) return listen(mcp)
      acquireSlots(limits, { caller: contexts.caller, listens: false, onClose })
      const message = plainRequest(classified, headers)
      if (message === undefined) return sdk.handle(mcp, mcp.body)
      clients.remember(message)
      return serve(mcp, message, asAuthInfo(contexts.stateless()))
    },
    /**
     * Has the SDK continue a call whose tool has run and asks the client for input, or has failed; or,
     * with `streams`, one that still runs: its response is an event stream.
     */
    finish(mcp: Exchanged, call: RunCall, streams = false): Promise<McpAnswer> {
      const authInfo = asAuthInfo(call.requestContext)
      attachOutcome(authInfo, call.outcome)
      return serve(mcp, call.message, authInfo, streams)
    },
    async close(): Promise<void> {
      await sdk.close()
      await servers.close()
    },
  }
}

/** Has the SDK handle subscriptions, and requests that need its validation. */
function createSdkHandler({ calls, buildServer, log }: ModernDeps) {
  const handler = createMcpHandler(
    ({ authInfo }) =>
      buildServer({ audience: audienceOf(authInfo), viewer: requestContextFrom(authInfo) }),
    {
      legacy: 'reject',
      bus: calls.bus,
      // `limits` enforces the concurrency limits.
      maxSubscriptions: Number.POSITIVE_INFINITY,
      onerror: (error) => log.debug({ err: error }, 'request refused'),
    },
  )
  return {
    async handle(mcp: McpRequest, body: unknown): Promise<Response> {
      const authInfo = asAuthInfo(mcp.contexts.stateless())
      const response = await handler.fetch(mcp.request, { parsedBody: body, authInfo })
      return withStatus(await boundResponse(response), authInfo)
    },
    close: () => handler.close(),
  }
}

/** Opens the streams of `subscriptions/listen`, which end with their session. */
function createListen(
  { calls, sessionEnds, limits }: ModernDeps,
  sdk: ReturnType<typeof createSdkHandler>,
) {
  const takeListenRequest = createListenRequests(calls)
  return async (mcp: McpRequest): Promise<Response> => {
    const { caller } = mcp.contexts
    const requestContext = mcp.contexts.stateless()
    acquireSlots(limits, { caller, listens: true, onClose: mcp.onClose })
    const { signal } = mcp.request
    // Reads the resources that need permission.
    const release = limits.call(caller)
    const taking = takeListenRequest(mcp.body, caller, { requestContext, signal })
    const listening = await taking.finally(release)
    mcp.onClose(listening.release)
    const session = mcp.contexts.tokenSession ?? (await namedSession(requestContext, listening))
    const response = await sdk.handle(mcp, listening.body)
    return session === undefined
      ? response
      : endWithSession(response, session, sessionEnds, listening.id)
  }
}

/** The session that an unauthenticated caller names by handle, if it listens to its resources. */
async function namedSession(
  requestContext: RequestContext,
  { body, isPersonal }: ListenRequest,
): Promise<TokenSession | undefined> {
  const { params } = body as { readonly params?: { readonly _meta?: Record<string, unknown> } }
  const handle = params?._meta?.[SESSION_META_KEY]
  if (!isPersonal || typeof handle !== 'string') return undefined
  const { connectedAt, expiresAt } = await requestContext.openSession(handle, { facts: {} })
  return {
    id: handle,
    since: connectedAt?.getTime() ?? 0,
    ...(expiresAt !== undefined && { expiresAt: expiresAt.getTime() }),
  }
}

/** The parts of the HTTP request that the exchange needs. */
type Exchanged = Pick<McpRequest, 'request' | 'onClose'>

interface SlotRequest extends Pick<McpRequest, 'onClose'> {
  readonly caller: string
  readonly listens: boolean
}

/** Acquires slots until the response closes (2026-07-28, basic/transports). */
function acquireSlots(limits: Limits, { caller, listens, onClose }: SlotRequest): void {
  if (listens) {
    onClose(limits.stream(caller, 'listen'))
  } else {
    onClose(limits.answer(caller))
    onClose(limits.call(caller))
  }
}
