/** The servers of the 2026 era: one for each audience, which live as long as the process. */

import { type McpServer, PerRequestHTTPServerTransport } from '@modelcontextprotocol/server'
import type { Audience } from '../request-context.ts'
import { type BuildServer, MODERN_REVISION } from '../server-factory.ts'
import { type SharedServer, shareServer } from '../shared-server.ts'

/** By this transport the SDK knows the era. */
export const classification = { era: 'modern', revision: MODERN_REVISION } as const

export interface ModernServers {
  /** What they know of a client comes with each request. */
  of(audience: Audience): SharedServer
  close(): Promise<void>
}

export async function createModernServers(buildServer: BuildServer): Promise<ModernServers> {
  const share = (server: McpServer) =>
    shareServer(server, new PerRequestHTTPServerTransport({ classification }), { classification })
  const servers: Readonly<Record<Audience, SharedServer>> = {
    anonymous: await share(buildServer({ audience: 'anonymous' })),
    token: await share(buildServer({ audience: 'token' })),
  }
  return {
    of: (audience) => servers[audience],
    async close() {
      await Promise.all(Object.values(servers).map((server) => server.close()))
    },
  }
}
