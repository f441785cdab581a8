/** Serves stdio: one process, one user. Opens a loopback listener when sign-in needs pages. */

import { createServer } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { McpServer, ServerEvent } from '@modelcontextprotocol/server'
import {
  StdioServerTransport,
  serveStdio as serveSdkStdio,
} from '@modelcontextprotocol/server/stdio'
import type { HttpConfig } from './config.ts'
import { createHttpServer, listen } from './http/http-server.ts'
import { checkSubscriptionCount } from './mcp/bounds.ts'
import { boundTransport } from './mcp/outgoing-messages.ts'
import { type LineRefusal, messageLines } from './mcp/stdio-lines.ts'
import { trackRequests } from './mcp/stdio-requests.ts'
import type { StopCause } from './process/shutdown.ts'
import { createRuntime, type Runtime, type RuntimeDeps } from './runtime.ts'
import { httpHandlers } from './serve-http.ts'
import { toWellFormedJson } from './well-formed.ts'

const LOOPBACK = '127.0.0.1'
/** Hosts kill a process about 2 s after they close its standard input. */
const DRAIN_MS = 1000
/** After a fault, running calls have as long as over HTTP. */
const FAULT_DRAIN_MS = 5000
/** Enough for the browser of one user. */
const MAX_SOCKETS = 100

export interface StdioService {
  /** Graceful shutdown: drains running calls for a bounded time, then closes everything. */
  stop(cause?: StopCause): Promise<void>
}

/**
 * Serves standard input and `output`. With `PUBLIC_URL` and Redis, the deployed server shares the
 * store and serves the pages; otherwise this process serves them on the loopback address.
 */
export async function serveStdio(
  deps: Omit<RuntimeDeps, 'publicUrl' | 'pagesReady' | 'transport'>,
  output: Writable,
): Promise<StdioService> {
  const { http, store } = deps.config
  const deployed = store.kind === 'redis' ? http.publicUrl : undefined
  const pages = deployed === undefined ? await reservePages(http) : undefined
  const publicUrl = deployed ?? `http://localhost:${pages?.port}`
  const runtime = await createRuntime({
    ...deps,
    publicUrl,
    pagesReady: async () => pages?.open(),
    transport: 'stdio',
  })
  pages?.mount(() => httpHandlers(runtime))

  const refuse = (refusal: LineRefusal): Promise<void> => {
    deps.log.debug({ code: refusal.error.code }, 'line refused')
    return new Promise((resolve) => {
      output.write(`${toWellFormedJson(refusal)}\n`, () => resolve())
    })
  }
  const lines = messageLines(process.stdin, refuse, { maxValues: http.bodyMaxValues })
  const transport = trackRequests(new StdioServerTransport(lines, output))
  const handle = serveSdkStdio(serverBuilder(runtime), {
    transport: boundTransport(transport),
    legacy: deps.config.serves.era2025 ? 'serve' : 'reject',
    onerror: (error) => deps.log.debug({ err: error }, 'message refused'),
  })
  return {
    async stop(cause = 'signal') {
      await Promise.race([delivered(lines), delay(DRAIN_MS)])
      await transport.answered(cause === 'fault' ? FAULT_DRAIN_MS : DRAIN_MS)
      await handle.close()
      lines.destroy()
      await endOutput(output)
      await pages?.close()
      await runtime.close()
    },
  }
}

/** Builds the server of the only user, which shares its subscriptions with earlier ones. */
function serverBuilder(runtime: Runtime): () => McpServer {
  const subscribed = new Set<string>()
  const requestContext = runtime.requestContexts.process(runtime.log, async (uri, wanted) => {
    if (!wanted) subscribed.delete(uri)
    else checkSubscriptionCount(new Set([...subscribed, uri]).size)
    if (wanted) subscribed.add(uri)
  })
  return () => {
    const mcp = runtime.buildServer({ audience: 'anonymous', requestContext })
    sendChanges(runtime, mcp, subscribed)
    return mcp
  }
}

/** Waits until all input read so far has reached the transport. */
async function delivered(lines: Duplex): Promise<void> {
  await new Promise<void>((resolve) => lines.write('', () => setImmediate(resolve)))
}

/** Ends the output; waits at most `DRAIN_MS` for a client that does not read the rest. */
async function endOutput(output: Writable): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    output.once('close', resolve)
    output.end(resolve)
  })
  await Promise.race([ended, delay(DRAIN_MS)])
}

/** Sends change notifications to the client; in the 2026 era, the SDK filters by subscription. */
function sendChanges(
  { node, log }: Runtime,
  mcp: McpServer,
  subscribed: ReadonlySet<string>,
): void {
  const stop = node.onEvent(({ event }) => {
    if (event.kind === 'resource_updated' && !isModern(mcp) && !subscribed.has(event.uri)) return
    notifyClient(mcp, event).catch((error: unknown) =>
      log.debug({ err: error }, 'change notification failed'),
    )
  })
  mcp.server.onclose = stop
}

function notifyClient({ server }: McpServer, event: ServerEvent): Promise<void> {
  if (event.kind === 'tools_list_changed') return server.sendToolListChanged()
  if (event.kind === 'prompts_list_changed') return server.sendPromptListChanged()
  if (event.kind === 'resources_list_changed') return server.sendResourceListChanged()
  return server.sendResourceUpdated({ uri: event.uri })
}

function isModern({ server }: McpServer): boolean {
  return (server.getNegotiatedProtocolVersion() ?? '') >= '2026-07-28'
}

/** Chooses a port now, because the provider must know the redirect URI, and listens on demand. */
async function reservePages({ port: preferred, keepAliveSeconds }: HttpConfig) {
  const port = await freePort(preferred)
  let handlers: () => ReturnType<typeof httpHandlers> | undefined = () => undefined
  const { server, drain } = createHttpServer(() => handlers(), {
    keepAliveSeconds,
    maxSockets: MAX_SOCKETS,
  })
  let opening: Promise<number> | undefined
  return {
    port,
    mount(make: () => ReturnType<typeof httpHandlers>) {
      const made = make()
      handlers = () => made
    },
    async open() {
      opening ??= listen(server, LOOPBACK, port)
      await opening
    },
    close: async () => (opening === undefined ? undefined : drain(DRAIN_MS)),
  }
}

/** The preferred port if it is free, because a provider may have it registered; otherwise any. */
async function freePort(preferred: number): Promise<number> {
  const probe = createServer()
  const port = await listen(probe, LOOPBACK, preferred).catch(() => listen(probe, LOOPBACK, 0))
  await new Promise((resolve) => probe.close(resolve))
  return port
}
