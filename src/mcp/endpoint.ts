/** `/mcp`: decides which era a request belongs to, and hands it to the leg that serves it. */

import {
  classifyInboundRequest,
  createMcpHandler,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { withStatus } from './handler-errors.ts'
import type { LegacyEndpoint } from './legacy/endpoint.ts'
import type { Limits } from './limits.ts'
import { endWithSession } from './listen-stream.ts'
import type { SessionEnds } from './nodes/session-ends.ts'
import { audienceOf, originAsAuthInfo, type RequestOrigins } from './origin.ts'
import type { BuildServer } from './server.ts'

export interface McpDeps {
  readonly legacy: LegacyEndpoint
  readonly buildServer: BuildServer
  readonly bus: ServerEventBus
  readonly sessionEnds: SessionEnds
  readonly limits: Limits
  readonly log: Logger
}

export interface McpRequest {
  /** The body, if there was one, has been read and parsed already. */
  readonly request: Request
  readonly body: unknown
  readonly origins: RequestOrigins
  /** Calls back when the answer is over, however it ended. */
  readonly onClose: (listener: () => void) => void
}

export interface McpEndpoint {
  handle(request: McpRequest): Promise<Response>
  /** Ends what is still running in the 2026 era; call it last. */
  close(): Promise<void>
}

export function createMcpEndpoint(deps: McpDeps): McpEndpoint {
  const { legacy, buildServer, bus, sessionEnds, limits, log } = deps
  const modern = createMcpHandler(
    ({ authInfo }) => buildServer({ audience: audienceOf(authInfo) }),
    {
      legacy: 'reject',
      bus,
      // Ours come first.
      maxSubscriptions: Number.POSITIVE_INFINITY,
      onerror: (error) => log.debug({ err: error }, 'request refused'),
    },
  )

  /** 2026-07-28, basic/transports: a request lasts as long as its answer. */
  function takePlaces({ body, origins: { caller }, onClose }: McpRequest): void {
    if ((body as { method?: unknown } | null)?.method === 'subscriptions/listen') {
      onClose(limits.stream(caller, 'listen'))
    } else {
      onClose(limits.answer(caller))
      onClose(limits.call(caller))
    }
  }

  async function post(mcp: McpRequest): Promise<Response> {
    const { request, body, origins } = mcp
    if (Array.isArray(body)) {
      // 2025-06-18 removed JSON-RPC batches, and no era we serve has them.
      throw new AppError('invalid_request', 'JSON-RPC batches are not supported.')
    }
    checkAccept(request)
    const header = (name: string) => request.headers.get(name) ?? undefined
    const { kind } = classifyInboundRequest({
      httpMethod: 'POST',
      body,
      ...optional('protocolVersionHeader', header('mcp-protocol-version')),
      ...optional('mcpMethodHeader', header('mcp-method')),
      ...optional('mcpNameHeader', header('mcp-name')),
    })
    if (kind === 'legacy') return legacy.post({ request, origins }, body)
    takePlaces(mcp)
    const authInfo = originAsAuthInfo(origins.stateless())
    const response = await modern.fetch(request, { parsedBody: body, authInfo })
    const { tokenSession } = origins
    if (tokenSession !== undefined && isListen(body)) {
      return endWithSession(response, tokenSession, sessionEnds)
    }
    return withStatus(response, authInfo)
  }

  return {
    handle(mcp) {
      if (mcp.request.method === 'POST') return post(mcp)
      if (mcp.request.method === 'GET') return legacy.get(mcp)
      if (mcp.request.method === 'DELETE') return legacy.end(mcp)
      throw new AppError('method_not_allowed', 'Use POST, GET or DELETE.', {
        allow: ['POST', 'GET', 'DELETE'],
      })
    },
    close: () => modern.close(),
  }
}

function isListen(body: unknown): boolean {
  return (body as { method?: unknown } | null)?.method === 'subscriptions/listen'
}

/** 2025-11-25, basic/transports, and 2026-07-28 as well: the client MUST list both types. */
function checkAccept(request: Request): void {
  const accept = request.headers.get('accept')?.toLowerCase() ?? ''
  const lists = (type: string) => accept.includes(type) || accept.includes('*/*')
  if (lists('application/json') && lists('text/event-stream')) return
  throw new AppError('not_acceptable', 'Accept application/json and text/event-stream.')
}

function optional<Name extends string>(name: Name, value: string | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { [K in Name]?: string }
}
