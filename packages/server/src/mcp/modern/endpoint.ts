/** The 2026 era on `/mcp`: nothing is kept between two requests (2026-07-28, basic/transports). */

import {
  type AuthInfo,
  createMcpHandler,
  type InboundClassificationOutcome,
  type JSONRPCRequest,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import type { Logger } from '../../logger.ts'
import { JsonAnswer, type McpAnswer } from '../answer.ts'
import { withStatus } from '../handler-errors.ts'
import type { Limits } from '../limits.ts'
import { endWithSession } from '../listen-stream.ts'
import type { SessionEnds } from '../nodes/session-ends.ts'
import { audienceOf, carryOutcome, originAsAuthInfo } from '../origin.ts'
import { boundResponse } from '../outgoing-messages.ts'
import type { McpRequest } from '../request.ts'
import type { BuildServer } from '../server.ts'
import type { StandardHeaders } from '../standard-headers.ts'
import { serveModern } from './exchange.ts'
import { createListenRequests, isListen } from './listen-requests.ts'
import {
  createPlainCalls,
  type PlainCall,
  type PlainCallDeps,
  type PlainCalls,
} from './plain-calls.ts'
import { createPlainRequest } from './plain-requests.ts'
import { createModernServers, type ModernServers } from './servers.ts'

export interface ModernDeps extends PlainCallDeps {
  readonly buildServer: BuildServer
  readonly bus: PlainCallDeps['bus'] & ServerEventBus
  readonly sessionEnds: SessionEnds
  readonly limits: Limits
  readonly log: Logger
}

export interface ModernEndpoint {
  readonly servers: ModernServers
  readonly plainCalls: PlainCalls
  /** Answers a plain call. */
  call(mcp: McpRequest, call: PlainCall): Promise<McpAnswer>
  /** Answers everything else. */
  post(
    mcp: McpRequest,
    classified: InboundClassificationOutcome,
    headers: StandardHeaders,
  ): Promise<McpAnswer>
  close(): Promise<void>
}

export async function createModernEndpoint(deps: ModernDeps): Promise<ModernEndpoint> {
  const { buildServer, bus, sessionEnds, limits } = deps
  const servers = await createModernServers(buildServer)
  const plainRequest = createPlainRequest(deps.catalog)
  const takeListenRequest = createListenRequests(deps)
  const plainCalls = createPlainCalls(deps)
  const handler = createMcpHandler(
    ({ authInfo }) => buildServer({ audience: audienceOf(authInfo) }),
    {
      legacy: 'reject',
      bus,
      // Ours come first.
      maxSubscriptions: Number.POSITIVE_INFINITY,
      onerror: (error) => deps.log.debug({ err: error }, 'request refused'),
    },
  )

  async function serve(
    { request, onClose }: McpRequest,
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
    const { caller, tokenSession } = mcp.origins
    const listening = takeListenRequest(mcp.body, caller)
    mcp.onClose(listening.release)
    takePlaces(limits, { caller, listens: true, onClose: mcp.onClose })
    const response = await handleWithSdk(mcp, listening.body)
    return tokenSession === undefined
      ? response
      : endWithSession(response, tokenSession, sessionEnds, listening.id)
  }

  return {
    servers,
    plainCalls,
    async call(mcp, call) {
      const { origins, onClose } = mcp
      takePlaces(limits, { caller: origins.caller, listens: false, onClose })
      const origin = origins.stateless()
      const end = await plainCalls.run(call, origin, onClose)
      if ('answer' in end) return new JsonAnswer(end.answer)
      const authInfo = originAsAuthInfo(origin)
      carryOutcome(authInfo, end.outcome)
      return serve(mcp, call.message, authInfo)
    },
    async post(mcp, classified, headers) {
      const { origins, onClose } = mcp
      if (isListen(mcp.body)) return listen(mcp)
      takePlaces(limits, { caller: origins.caller, listens: false, onClose })
      const message = plainRequest(classified, headers)
      if (message === undefined) return handleWithSdk(mcp, mcp.body)
      plainCalls.remember(message)
      return serve(mcp, message, originAsAuthInfo(origins.stateless()))
    },
    async close() {
      await handler.close()
      await servers.close()
    },
  }
}

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
