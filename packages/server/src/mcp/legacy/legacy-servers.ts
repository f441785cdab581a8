/**
 * The server instances of the 2025 era. The SDK binds a server to one `initialize` request; MCP
 * sessions with an equal `initialize` share a server, and most clients send one of a few.
 */

import type { JSONRPCRequest, JSONRPCResponse, Transport } from '@modelcontextprotocol/server'
import { createRecent } from '../../store/recent.ts'
import type { Audience } from '../request-context.ts'
import type { BuildServer } from '../server-factory.ts'
import { type SharedServer, shareServer } from '../shared-server.ts'
import type { McpSessionRecord } from './mcp-session.ts'

type Spoken = Pick<McpSessionRecord, 'initialize' | 'logLevel'>

export interface LegacyServers {
  /** The server shared by all MCP sessions with this audience, `initialize` and log level. */
  of(audience: Audience, connection: Spoken): Promise<SharedServer>
  /** A server that is not shared, for requests that change the server itself. */
  fresh(audience: Audience, connection?: Spoken): Promise<SharedServer>
}

/** LRU bound: clients choose the keys. Evicted servers still finish their requests. */
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

/** Passes a request to a server and returns the response, which is not sent to a client. */
export function ask(server: SharedServer, request: JSONRPCRequest): Promise<JSONRPCResponse> {
  return new Promise((resolve) => {
    server.serve(request, { notify: () => undefined, respond: resolve }, {})
  })
}

/** A no-op transport; `shareServer` attaches the message handlers. */
function createTransport(): Transport {
  const transport: Transport = {
    start: async () => undefined,
    send: async () => undefined,
    close: async () => transport.onclose?.(),
  }
  return transport
}

/** The requests that bring a new server to the state of the MCP session. */
function replays({ initialize, logLevel }: Spoken): JSONRPCRequest[] {
  const requests: JSONRPCRequest[] = []
  const add = (method: string, params: object) =>
    requests.push({ jsonrpc: '2.0', id: method, method, params: { ...params } })
  if (initialize !== null) add('initialize', initialize)
  if (logLevel !== null) add('logging/setLevel', { level: logLevel })
  return requests
}
