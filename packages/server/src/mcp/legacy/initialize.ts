/**
 * `initialize`, stored with its MCP session and replayed to the SDK servers that serve it. MCP
 * sessions with an equal `initialize` share a server, and most clients send one of a few.
 */

import {
  type InitializeRequest,
  isInitializeRequest,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type Transport,
} from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import { createLruCache } from '../../store/lru-cache.ts'
import { jsonBytes } from '../../store/storage-budget.ts'
import { cutToBytes } from '../../store/text-bytes.ts'
import { CLIENT_TEXT_BYTES } from '../client-facts.ts'
import type { Audience } from '../request-context.ts'
import type { BuildServer } from '../server-factory.ts'
import { type SharedServer, shareServer } from '../shared-server.ts'
import type { McpSessionRecord } from './mcp-session-record.ts'

export type InitializeMessage = JSONRPCRequest & InitializeRequest

/**
 * Returns the message if it is an `initialize` request.
 * @throws AppError `invalid_params` if it is one with invalid parameters
 */
export function asInitialize(message: JSONRPCMessage): InitializeMessage | undefined {
  if (!isJSONRPCRequest(message) || message.method !== 'initialize') return undefined
  if (isInitializeRequest(message)) return message as InitializeMessage
  throw new AppError('invalid_params', 'The parameters of initialize are not valid.')
}

/** Limit of the capabilities as JSON; real clients need a few hundred bytes. */
const CAPABILITIES_BYTES = 8192

/**
 * The fields of `initialize` that a replay needs. All others, such as icons, are never read again
 * and would let any client fill the store.
 * @throws AppError `payload_too_large`
 */
function essentials(
  { capabilities, clientInfo }: InitializeRequest['params'],
  protocolVersion: string,
): InitializeRequest['params'] {
  if (jsonBytes(capabilities) > CAPABILITIES_BYTES) {
    const message = `The capabilities exceed the limit of ${CAPABILITIES_BYTES} bytes.`
    throw new AppError('payload_too_large', message)
  }
  const name = cutToBytes(clientInfo.name, CLIENT_TEXT_BYTES)
  const version = cutToBytes(clientInfo.version, CLIENT_TEXT_BYTES)
  return { protocolVersion, capabilities, clientInfo: { name, version } }
}

/** What a server must have received before it serves an MCP session. */
type Handshake = Pick<McpSessionRecord, 'initialize' | 'logLevel'>

/** LRU bound: clients choose the keys. Evicted servers still finish their requests. */
const MOST_SERVERS = 64

export type LegacyServers = ReturnType<typeof createLegacyServers>

export function createLegacyServers(buildServer: BuildServer) {
  const servers = createLruCache<Promise<SharedServer>>(MOST_SERVERS)

  async function fresh(audience: Audience, handshake?: Handshake): Promise<SharedServer> {
    const server = await shareServer(buildServer({ audience }), createTransport())
    for (const request of handshake ? replays(handshake) : []) await ask(server, request)
    return server
  }

  return {
    /**
     * Answers `initialize`. `initialize` of the result is undefined if the SDK rejects the request.
     * @throws AppError `payload_too_large`
     */
    async initialize(request: InitializeMessage) {
      // Any audience will do: the response lists no tools, prompts or resources.
      const server = await fresh('anonymous')
      const answer = await ask(server, request)
      await server.close()
      if (!('result' in answer)) return { answer, initialize: undefined }
      const { protocolVersion } = answer.result as { protocolVersion: string }
      return { answer, initialize: essentials(request.params, protocolVersion) }
    },
    /** A server that is not shared, for requests that change the server itself. */
    fresh,
    /** The server shared by all MCP sessions with this audience, `initialize` and log level. */
    of(audience: Audience, handshake: Handshake): Promise<SharedServer> {
      const key = JSON.stringify([audience, handshake.initialize, handshake.logLevel])
      const known = servers.get(key)
      if (known !== undefined) return known
      const server = fresh(audience, handshake)
      servers.set(key, server)
      return server
    },
  }
}

/** Passes a request to a server and returns the response, which is not sent to a client. */
function ask(server: SharedServer, request: JSONRPCRequest): Promise<JSONRPCResponse> {
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
function replays({ initialize, logLevel }: Handshake): JSONRPCRequest[] {
  const requests: JSONRPCRequest[] = []
  const add = (method: string, params: object) =>
    requests.push({ jsonrpc: '2.0', id: method, method, params: { ...params } })
  if (initialize !== null) add('initialize', initialize)
  if (logLevel !== null) add('logging/setLevel', { level: logLevel })
  return requests
}
