/** Serves `resources/read` in either era. */

import {
  type CacheHint,
  type McpServer,
  ResourceNotFoundError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { CompiledResource } from '../engine/compile-resource.ts'
import type { FindResource } from '../engine/find-resource.ts'
import { toResourceResult } from '../engine/resource-result.ts'
import { checkUriLength } from './bounds.ts'
import { callingClient } from './client-facts.ts'

/** Takes the place of the SDK's own handler, which matches templates in another way. */
export function serveReads({ server }: McpServer, find: FindResource<CompiledResource>): void {
  server.setRequestHandler('resources/read', async ({ params: { uri } }, ctx: ServerContext) => {
    checkUriLength(uri)
    const found = find(uri)
    if (found === undefined) throw new ResourceNotFoundError(uri)
    const { resource, url, variables } = found
    const { signal } = ctx.mcpReq
    const value = await resource.definition.read({ uri: url, variables, signal })
    const result = toResourceResult(resource, url.href, value)
    const isModern = callingClient(ctx, server).era === '2026'
    return isModern ? { ...result, ...cacheOf(resource) } : result
  })
}

/** 2026-07-28, server/utilities/caching; earlier revisions have no such fields. */
function cacheOf({ definition: { cache } }: CompiledResource): CacheHint {
  return { ...cache }
}
