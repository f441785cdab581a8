/** The server instances of the 2026 era: one for each audience, for the life of the process. */

import { type McpServer, PerRequestHTTPServerTransport } from '@modelcontextprotocol/server'
import type { Audience } from '../request-context.ts'
import { type BuildServer, MODERN_REVISION } from '../server-factory.ts'
import { type SharedServer, shareServer } from '../shared-server.ts'

/** The classification by which the SDK recognizes the era. */
export const classification = { era: 'modern', revision: MODERN_REVISION } as const

export interface ModernServers {
  /** Servers keep no client state: each request describes its client. */
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
