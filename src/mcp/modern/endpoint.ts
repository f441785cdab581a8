/** The 2026 era on `/mcp`: nothing is kept between two requests (2026-07-28, basic/transports). */

import {
  createMcpHandler,
  type InboundClassificationOutcome,
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

  async function stock({ request, body, origins, onClose }: McpRequest): Promise<Response> {
    const { caller, tokenSession } = origins
    const listens = isListen(body)
    takePlaces(limits, { caller, listens, onClose })
    const authInfo = originAsAuthInfo(origins.stateless())
    const response = await boundResponse(
      await handler.fetch(request, { parsedBody: body, authInfo }),
    )
    if (tokenSession !== undefined && listens) {
      return endWithSession(response, tokenSession, sessionEnds)
    }
    return withStatus(response, authInfo)
  }

  return {
    servers,
    plainCalls,
    async call(mcp, call) {
      const { request, origins, onClose } = mcp
      takePlaces(limits, { caller: origins.caller, listens: false, onClose })
      const origin = origins.stateless()
      const end = await plainCalls.run(call, origin, onClose)
      if ('answer' in end) return new JsonAnswer(end.answer)
      const authInfo = originAsAuthInfo(origin)
      carryOutcome(authInfo, end.outcome)
      const server = servers.of(audienceOf(authInfo))
      const { message } = call
      return withStatus(
        await serveModern(server, { message, authInfo, request, onClose }),
        authInfo,
      )
    },
    async post(mcp, classified, headers) {
      const { request, origins, onClose } = mcp
      const message = plainRequest(classified, headers)
      if (message === undefined) return stock(mcp)
      plainCalls.remember(message)
      takePlaces(limits, { caller: origins.caller, listens: false, onClose })
      const authInfo = originAsAuthInfo(origins.stateless())
      const server = servers.of(audienceOf(authInfo))
      return withStatus(
        await serveModern(server, { message, authInfo, request, onClose }),
        authInfo,
      )
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

function isListen(body: unknown): boolean {
  return (body as { method?: unknown } | null)?.method === 'subscriptions/listen'
}
