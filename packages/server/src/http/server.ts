/** The Node server below the routes: the guard, handlers that speak Node, and bounds on slow clients. */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { HostGuard } from './allowed-hosts.ts'
import { writeError } from './error-response.ts'
import { continueOnRead } from './expect-continue.ts'
import { isListening, type ObserveRequest } from './observe-requests.ts'
import { dropTrailingSlash, normalizeTarget, stripBasePath } from './request-target.ts'
import { type RunningResponses, trackResponses } from './running-responses.ts'
import { EarlyResponse } from './unread-bodies.ts'

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown

export interface HttpHandlers {
  readonly guard: HostGuard
  /** Answers what is not for the others, before Hono; false for what it leaves to it. */
  readonly calls?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** The Hono app. */
  readonly fetch: Parameters<typeof getRequestListener>[0]
  /** Handlers for a path and everything below it, such as `/demo/idp`. */
  readonly mounts: ReadonlyMap<string, NodeHandler>
  /** The path that all of it is below; none if left out. */
  readonly basePath?: string
  /** Watches all of it, refusals too. */
  readonly observe?: ObserveRequest
}

/** Slow headers and bodies are cut off after this (slow-loris). */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const SWEEP_MS = 50

export interface HttpServer {
  readonly server: Server
  /** From now on every answer closes its connection, so that clients look for another node. */
  stopKeepingAlive(): void
  /**
   * Lets running requests finish and takes nothing new after that: until then the server listens,
   * so that its readiness is heard. What still runs in the end is cut off.
   */
  drain(longestMs: number): Promise<void>
}

export interface HttpServerOptions {
  /** How long a connection without a request is kept. */
  readonly keepAliveSeconds?: number
  /** Open connections; what comes beyond them is closed at once, and the server emits `drop`. */
  readonly maxSockets?: number
}

/** Makes the server; `handlers` may be set after it listens, when its address is known. */
export function createHttpServer(
  handlers: () => HttpHandlers | undefined,
  { keepAliveSeconds = 65, maxSockets = 10_000 }: HttpServerOptions = {},
): HttpServer {
  let listener: ReturnType<typeof getRequestListener> | undefined
  let draining = false
  let lettingGo = false
  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 5000,
    keepAliveTimeout: keepAliveSeconds * 1000,
    // As lists of values, so that no check sees another one than the next (RFC 9110, 5.3).
    joinDuplicateHeaders: true,
    ServerResponse: EarlyResponse,
  }
  const answer: RequestListener = (request, response) => {
    running.add(response)
    if (draining) response.shouldKeepAlive = false
    if (lettingGo && isListening(response.req)) {
      response.destroy()
      return
    }
    const known = handlers()
    if (known === undefined) {
      response.writeHead(503, { 'retry-after': '1' }).end()
      return
    }
    stripBasePath(request, known.basePath ?? '')
    const handle = () => dispatch(known, request, response)
    if (known.observe === undefined) handle()
    else known.observe(request, response, handle)
  }
  const server = createServer(options, answer)
  server.on('checkContinue', (request, response) => {
    continueOnRead(request, response)
    answer(request, response)
  })
  server.maxConnections = maxSockets
  // Makes room for clients that have something to ask.
  server.on('drop', () => server.closeIdleConnections())
  const running = trackResponses(server)

  function dispatch(known: HttpHandlers, request: IncomingMessage, response: ServerResponse): void {
    try {
      normalizeTarget(request)
      stripBasePath(request, known.basePath ?? '')
      dropTrailingSlash(request)
      known.guard(request)
    } catch (error) {
      writeError(response, error)
      return
    }
    if (known.calls?.(request, response)) return
    listener ??= getRequestListener(known.fetch, { overrideGlobalObjects: false })
    const mounted = mountedHandler(known.mounts, request.url ?? '/') ?? listener
    void mounted(request, response)
  }
  return {
    server,
    stopKeepingAlive() {
      draining = true
    },
    async drain(longestMs) {
      draining = true
      lettingGo = true
      // Cut off rather than ended: clients take an end as final, and a lost connection as a hiccup.
      for (const response of running.all()) if (isListening(response.req)) response.destroy()
      await finish(server, running, longestMs)
    },
  }
}

/** Waits for these responses, then for what came meanwhile, and for no connection that is idle. */
async function finish(server: Server, running: RunningResponses, longestMs: number): Promise<void> {
  const responses = running.all()
  const cutOff = setTimeout(() => server.closeAllConnections(), longestMs)
  for (const response of responses) response.shouldKeepAlive = false
  await Promise.all(
    responses.map((response) => new Promise((done) => response.once('close', done))),
  )
  // One whose stream has just ended counts as busy for a moment, and would then be kept.
  const sweep = setInterval(() => {
    server.closeIdleConnections()
    running.closeUnused()
  }, SWEEP_MS)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  clearInterval(sweep)
  clearTimeout(cutOff)
}

function mountedHandler(mounts: HttpHandlers['mounts'], url: string): NodeHandler | undefined {
  for (const [prefix, handler] of mounts) {
    if (url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`)) {
      return handler
    }
  }
  return undefined
}

/** Connections that wait to be accepted; the system may hold fewer (`net.core.somaxconn`). */
const BACKLOG = 4096

/** Listens, and tells the port that was taken. Rejects when the address is in use. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
