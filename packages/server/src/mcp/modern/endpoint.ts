/** The 2026 era on `/mcp`: nothing is kept between two requests (2026-07-28, basic/transports). */

import {
  type AuthInfo,
  createMcpHandler,
  type InboundClassificationOutcome,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server'
import { SESSION_META_KEY } from '../../engine/run-read.ts'
import type { ToolOutcome } from '../../engine/run-tool.ts'
import type { Logger } from '../../logger.ts'
import type { McpAnswer } from '../answer.ts'
import type { CallToolDeps } from '../call-tool.ts'
import { withStatus } from '../handler-errors.ts'
import type { Limits } from '../limits.ts'
import { endWithSession } from '../listen-stream.ts'
import type { SessionEnds, TokenSession } from '../nodes/session-ends.ts'
import {
  audienceOf,
  carriedOrigin,
  carryOutcome,
  type Origin,
  originAsAuthInfo,
} from '../origin.ts'
import { boundResponse } from '../outgoing-messages.ts'
import type { McpRequest } from '../request.ts'
import type { BuildServer } from '../server.ts'
import type { StandardHeaders } from '../standard-headers.ts'
import { serveModern } from './exchange.ts'
import { createKnownClients, type KnownClients } from './known-clients.ts'
import { createListenRequests, isListen, type ListenRequest } from './listen-requests.ts'
import { createPlainRequest } from './plain-requests.ts'
import { createModernServers, type ModernServers } from './servers.ts'

export interface ModernDeps extends CallToolDeps {
  readonly buildServer: BuildServer
  readonly sessionEnds: SessionEnds
  readonly limits: Limits
  readonly log: Logger
}

/** A tool call whose tool has run. */
export interface RunCall {
  readonly message: JSONRPCRequest
  readonly origin: Origin
  readonly outcome: Promise<ToolOutcome>
}

export interface ModernEndpoint {
  readonly servers: ModernServers
  readonly clients: KnownClients
  post(
    mcp: McpRequest,
    classified: InboundClassificationOutcome,
    headers: StandardHeaders,
  ): Promise<McpAnswer>
  /** Hands a call to the SDK whose tool has run, to ask the client or to fail. */
  finish(mcp: Exchanged, call: RunCall): Promise<McpAnswer>
  close(): Promise<void>
}

export async function createModernEndpoint(deps: ModernDeps): Promise<ModernEndpoint> {
  const { buildServer, bus, sessionEnds, limits } = deps
  const servers = await createModernServers(buildServer)
  const plainRequest = createPlainRequest(deps.catalog)
  const takeListenRequest = createListenRequests(deps)
  const clients = createKnownClients()
  const handler = createMcpHandler(
    ({ authInfo }) =>
      buildServer({ audience: audienceOf(authInfo), viewer: carriedOrigin(authInfo) }),
    {
      legacy: 'reject',
      bus,
      // Ours come first.
      maxSubscriptions: Number.POSITIVE_INFINITY,
      onerror: (error) => deps.log.debug({ err: error }, 'request refused'),
    },
  )

  async function serve(
    { request, onClose }: Exchanged,
    message: JSONRPCRequest,
    authInfo: AuthInfo,
  ): Promise<McpAnswer> {
    const server = servers.of(audienceOf(authInfo))
    const answer = await serveModern(server, { message, authInfo, request, onClose })
    return withStatus(answer, authInfo)
  }

  async function handleWithSdk(mcp: McpRequest, body: unknown): Promise<Response> {
    const authInfo = originAsAuthInfo(mcp.origins.stateless())
    const response = await handler.fetch(mcp.request, { parsedBody: body, authInfo })
    return withStatus(await boundResponse(response), authInfo)
  }

  async function listen(mcp: McpRequest): Promise<Response> {
    const { caller } = mcp.origins
    const origin = mcp.origins.stateless()
    takePlaces(limits, { caller, listens: true, onClose: mcp.onClose })
    const { signal } = mcp.request
    const listening = await takeListenRequest(mcp.body, caller, { origin, signal })
    mcp.onClose(listening.release)
    const session = mcp.origins.tokenSession ?? (await namedSession(origin, listening))
    const response = await handleWithSdk(mcp, listening.body)
    return session === undefined
      ? response
      : endWithSession(response, session, sessionEnds, listening.id)
  }

  return {
    servers,
    clients,
    async post(mcp, classified, headers) {
      const { origins, onClose } = mcp
      if (isListen(mcp.body)) return listen(mcp)
      takePlaces(limits, { caller: origins.caller, listens: false, onClose })
      const message = plainRequest(classified, headers)
      if (message === undefined) return handleWithSdk(mcp, mcp.body)
      clients.remember(message)
      return serve(mcp, message, originAsAuthInfo(origins.stateless()))
    },
    finish(mcp, { message, origin, outcome }) {
      const authInfo = originAsAuthInfo(origin)
      carryOutcome(authInfo, outcome)
      return serve(mcp, message, authInfo)
    },
    async close() {
      await handler.close()
      await servers.close()
    },
  }
}

/** The session whose handle a caller without a token named, where what it listens to belongs to it. */
async function namedSession(
  origin: Origin,
  { body, isPersonal }: ListenRequest,
): Promise<TokenSession | undefined> {
  const { params } = body as { readonly params?: { readonly _meta?: Record<string, unknown> } }
  const handle = params?._meta?.[SESSION_META_KEY]
  if (!isPersonal || typeof handle !== 'string') return undefined
  const { connectedAt, expiresAt } = await origin.openSession(handle, { facts: {} })
  return {
    id: handle,
    since: connectedAt?.getTime() ?? 0,
    ...(expiresAt !== undefined && { expiresAt: expiresAt.getTime() }),
  }
}

/** What the exchange with the client needs of its request. */
type Exchanged = Pick<McpRequest, 'request' | 'onClose'>

interface Place extends Pick<McpRequest, 'onClose'> {
  readonly caller: string
  readonly listens: boolean
}

/** 2026-07-28, basic/transports: a request lasts as long as its answer. */
function takePlaces(limits: Limits, { caller, listens, onClose }: Place): void {
  if (listens) {
    onClose(limits.stream(caller, 'listen'))
  } else {
    onClose(limits.answer(caller))
    onClose(limits.call(caller))
  }
}
