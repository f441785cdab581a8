/** The Node server below the routes: the guard, handlers that speak Node, and bounds on slow clients. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { HostGuard } from './allowed-hosts.ts'
import { writeError } from './error-response.ts'

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown

export interface HttpHandlers {
  readonly guard: HostGuard
  /** The Hono app. */
  readonly fetch: Parameters<typeof getRequestListener>[0]
  /** Handlers for everything below a path, such as `/demo/idp`. */
  readonly mounts: ReadonlyMap<string, NodeHandler>
}

/** Slow headers and bodies are cut off after this (slow-loris). */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const CLOSE_IDLE_MS = 100

/** Makes the server; `handlers` may be set after it listens, when its address is known. */
export function createHttpServer(handlers: () => HttpHandlers | undefined): Server {
  let listener: ReturnType<typeof getRequestListener> | undefined
  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 5000,
  }
  return createServer(options, (request, response) => {
    const known = handlers()
    if (known === undefined) {
      response.writeHead(503, { 'retry-after': '1' }).end()
      return
    }
    try {
      known.guard(request)
    } catch (error) {
      writeError(response, error)
      return
    }
    listener ??= getRequestListener(known.fetch, { overrideGlobalObjects: false })
    const mounted = mountedHandler(known.mounts, request.url ?? '/') ?? listener
    void mounted(request, response)
  })
}

function mountedHandler(mounts: HttpHandlers['mounts'], url: string): NodeHandler | undefined {
  for (const [prefix, handler] of mounts) {
    if (url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`)) {
      return handler
    }
  }
  return undefined
}

/** Listens, and tells the port that was taken. Rejects when the address is in use. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** Takes nothing new, lets running requests finish, and cuts off what still runs in the end. */
export async function drain(server: Server, longestMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Again and again: a connection whose request has just ended is kept open for the next one.
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS)
  const timer = setTimeout(() => server.closeAllConnections(), longestMs)
  await closed
  clearInterval(idle)
  clearTimeout(timer)
}
