/** `/mcp`: detects the era of a request and routes it to the endpoint of that era. */

import { AppError } from '../errors.ts'
import { isAnswer } from './client-answer.ts'
import type { McpAnswer, McpRequest } from './mcp-request.ts'
import { createModernEndpoint, type ModernDeps } from './modern/modern-endpoint.ts'
import {
  acceptsAnswers,
  classifyPost,
  isHandshake,
  isPlainlyLegacy,
  readStandardHeaders,
} from './standard-headers.ts'

/** The endpoint of the 2025 era. `body` is the parsed body. */
export interface EraEndpoint {
  post(request: McpRequest, body: unknown): Promise<McpAnswer>
  get(request: McpRequest): Promise<Response>
  end(request: McpRequest): Promise<Response>
}

export interface McpDeps extends ModernDeps {
  readonly legacy: EraEndpoint
  /** Whether to serve the 2025 era; true if omitted. */
  readonly era2025?: boolean
}

export type McpEndpoint = Awaited<ReturnType<typeof createMcpEndpoint>>

export async function createMcpEndpoint(deps: McpDeps) {
  const legacy = deps.era2025 === false ? undefined : deps.legacy
  const modern = await createModernEndpoint(deps)

  /** Passes on a client response unclassified: the SDK's classification would validate it. */
  async function takeAnswer(mcp: McpRequest, answer: object): Promise<McpAnswer> {
    if (legacy !== undefined) return legacy.post(mcp, answer)
    throw new AppError(
      'invalid_request',
      'Responses cannot be posted: 2026-07-28 has no requests from server to client.',
    )
  }

  function post(mcp: McpRequest): Promise<McpAnswer> {
    const { request, body } = mcp
    if (Array.isArray(body)) {
      // Only 2025-03-26 has JSON-RPC batches. Refused: limits and scopes are checked for each message.
      throw new AppError('invalid_request', 'JSON-RPC batches are not supported.')
    }
    checkAccept(request)
    if (isAnswer(body)) return takeAnswer(mcp, body)
    const headers = readStandardHeaders(request.headers)
    const isOf2025 = isPlainlyLegacy(body, headers) || isHandshake(body)
    if (legacy !== undefined && isOf2025) return legacy.post(mcp, body)
    const classified = classifyPost(body, headers)
    if (legacy !== undefined && classified.kind === 'legacy') return legacy.post(mcp, body)
    return modern.post(mcp, classified, headers)
  }

  return {
    /** The 2026-era parts that other routes share. */
    modern,
    handle(mcp: McpRequest): Promise<McpAnswer> {
      if (mcp.request.method === 'POST') return post(mcp)
      if (legacy !== undefined && mcp.request.method === 'GET') return legacy.get(mcp)
      if (legacy !== undefined && mcp.request.method === 'DELETE') return legacy.end(mcp)
      const allow = legacy === undefined ? ['POST'] : ['POST', 'GET', 'DELETE']
      throw new AppError('method_not_allowed', `Use ${allow.join(' or ')}.`, { allow })
    },
    /** Graceful shutdown: aborts the running 2026-era requests; call it last. */
    close: (): Promise<void> => modern.close(),
  }
}

function checkAccept(request: Request): void {
  if (acceptsAnswers(request.headers.get('accept') ?? undefined)) return
  throw new AppError('not_acceptable', 'Accept application/json and text/event-stream.')
}
