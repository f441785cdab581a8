/**
 * The servers of the 2025 era. The SDK tells a server what its client can do by `initialize`, once;
 * clients that said the same share a server, and most say one of a few things.
 */

import type { JSONRPCRequest, JSONRPCResponse, Transport } from '@modelcontextprotocol/server'
import { createRecent } from '../../store/recent.ts'
import type { Audience } from '../request-context.ts'
import type { BuildServer } from '../server-factory.ts'
import { type SharedServer, shareServer } from '../shared-server.ts'
import type { McpSessionRecord } from './mcp-session.ts'

type Spoken = Pick<McpSessionRecord, 'initialize' | 'logLevel'>

export interface LegacyServers {
  /** The server that clients share who said what this connection's did. */
  of(audience: Audience, connection: Spoken): Promise<SharedServer>
  /** One that nobody else has: for what changes the server itself. */
  fresh(audience: Audience, connection?: Spoken): Promise<SharedServer>
}

/** What clients say is up to them: those used longest ago go. They still finish what they run. */
const MOST_SERVERS = 64

export function createLegacyServers(buildServer: BuildServer): LegacyServers {
  const servers = createRecent<Promise<SharedServer>>(MOST_SERVERS)

  async function fresh(audience: Audience, connection?: Spoken): Promise<SharedServer> {
    const server = await shareServer(buildServer({ audience }), createTransport())
    for (const request of connection ? replays(connection) : []) await ask(server, request)
    return server
  }

  return {
    fresh,
    of(audience, connection) {
      const key = JSON.stringify([audience, connection.initialize, connection.logLevel])
      const known = servers.get(key)
      if (known !== undefined) return known
      const server = fresh(audience, connection)
      servers.set(key, server)
      return server
    },
  }
}

/** Hands a request to a server and gives its answer, which never reaches a client. */
export function ask(server: SharedServer, request: JSONRPCRequest): Promise<JSONRPCResponse> {
  return new Promise((resolve) => {
    server.serve(request, { notify: () => undefined, respond: resolve }, {})
  })
}

/** Carries messages by what `shareServer` makes of it. */
function createTransport(): Transport {
  const transport: Transport = {
    start: async () => undefined,
    send: async () => undefined,
    close: async () => transport.onclose?.(),
  }
  return transport
}

/** What brings a fresh server to where the connection is. */
function replays({ initialize, logLevel }: Spoken): JSONRPCRequest[] {
  const requests: JSONRPCRequest[] = []
  const add = (method: string, params: object) =>
    requests.push({ jsonrpc: '2.0', id: method, method, params: { ...params } })
  if (initialize !== null) add('initialize', initialize)
  if (logLevel !== null) add('logging/setLevel', { level: logLevel })
  return requests
}
