/** `/mcp`: decides which era a request belongs to, and hands it to the leg that serves it. */

import { AppError } from '../errors.ts'
import type { McpAnswer } from './answer.ts'
import type { LegacyEndpoint } from './legacy/endpoint.ts'
import { createModernEndpoint, type ModernDeps, type ModernEndpoint } from './modern/endpoint.ts'
import type { McpRequest } from './request.ts'
import { classifyPost, isPlainlyLegacy, readStandardHeaders } from './standard-headers.ts'

export interface McpDeps extends ModernDeps {
  readonly legacy: LegacyEndpoint
}

export interface McpEndpoint {
  /** What serves the 2026 era, for other ways in. */
  readonly modern: Pick<ModernEndpoint, 'servers' | 'plainCalls'>
  handle(request: McpRequest): Promise<McpAnswer>
  /** Ends what is still running in the 2026 era; call it last. */
  close(): Promise<void>
}

export async function createMcpEndpoint(deps: McpDeps): Promise<McpEndpoint> {
  const { legacy } = deps
  const modern = await createModernEndpoint(deps)

  function post(mcp: McpRequest): Promise<McpAnswer> {
    const { request, body } = mcp
    if (Array.isArray(body)) {
      // 2025-06-18 removed JSON-RPC batches, and no era we serve has them.
      throw new AppError('invalid_request', 'JSON-RPC batches are not supported.')
    }
    checkAccept(request)
    const headers = readStandardHeaders(request.headers)
    if (isPlainlyLegacy(body, headers)) return legacy.post(mcp, body)
    const call = modern.plainCalls.find(body, headers)
    if (call !== undefined) return modern.call(mcp, call)
    const classified = classifyPost(body, headers)
    if (classified.kind === 'legacy') return legacy.post(mcp, body)
    return modern.post(mcp, classified, headers)
  }

  return {
    modern,
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

/** 2025-11-25, basic/transports, and 2026-07-28 as well: the client MUST list both types. */
function checkAccept(request: Request): void {
  const accept = request.headers.get('accept')?.toLowerCase() ?? ''
  const lists = (type: string) => accept.includes(type) || accept.includes('*/*')
  if (lists('application/json') && lists('text/event-stream')) return
  throw new AppError('not_acceptable', 'Accept application/json and text/event-stream.')
}
