/**
 * The Node HTTP server below Hono: host guard, mounted handlers, timeouts (Slowloris), and
 * graceful shutdown.
 */

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { getSystemErrorMap } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import type { Logger } from '../logger.ts'
import type { HostGuard } from './allowed-hosts.ts'
import {
  continueOnRead,
  EarlyResponse,
  type RunningResponses,
  trackResponses,
} from './connections.ts'
import { writeError } from './error-response.ts'
import { isListening, type ObserveRequest } from './observe-requests.ts'
import { dropTrailingSlash, normalizeTarget, stripBasePath } from './request-target.ts'
import { limitSockets } from './socket-limit.ts'

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown

export interface HttpHandlers {
  readonly guard: HostGuard
  /** Answers a refused request in the form of its route; false if JSON-RPC is that form. */
  readonly refuse?: (request: IncomingMessage, response: ServerResponse, error: unknown) => boolean
  /** Handles callers' POSTs before Hono; returns false for requests that Hono should handle. */
  readonly calls?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** The Hono app. */
  readonly fetch: Parameters<typeof getRequestListener>[0]
  /** Node handlers by path prefix, such as `/demo/idp`. */
  readonly mounts: ReadonlyMap<string, NodeHandler>
  /** Path prefix of all routes; defaults to none. */
  readonly basePath?: string
  /** Observes every request, including refused ones. */
  readonly observe?: ObserveRequest
}

/** Timeouts for slow headers and bodies (Slowloris). */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const SWEEP_MS = 50

/** Access tokens of identity providers list groups and roles; Node's default is 16 KiB. */
const HEADER_BYTES = 32 * 1024

const SERVER_OPTIONS = {
  maxHeaderSize: HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: 5000,
  // Joins duplicate headers, so that all checks see the same value (RFC 9110, 5.3).
  joinDuplicateHeaders: true,
  ServerResponse: EarlyResponse,
}

export interface HttpServerOptions {
  /** Keep-alive timeout of an idle connection. */
  readonly keepAliveSeconds?: number
  /** Connection limit; the server closes further connections at once and emits `drop`. */
  readonly maxSockets?: number
}

/** Creates the server; `handlers` may return them later, when the server's address is known. */
export function createHttpServer(
  handlers: () => HttpHandlers | undefined,
  { keepAliveSeconds = 65, maxSockets = 10_000 }: HttpServerOptions = {},
) {
  let keepsAlive = true
  let draining = false
  const serve = createServe(handlers)
  const answer: RequestListener = (request, response) => {
    running.add(response)
    if (!keepsAlive) running.closeAfterLast(request.socket)
    if (draining && isListening(response.req)) response.destroy()
    else serve(request, response)
  }
  const server = createServer(
    { ...SERVER_OPTIONS, keepAliveTimeout: keepAliveSeconds * 1000 },
    answer,
  )
  server.on('checkContinue', (request, response) => {
    continueOnRead(request, response)
    answer(request, response)
  })
  limitSockets(server, maxSockets)
  // At the connection limit, frees idle connections for clients with requests.
  server.on('drop', () => server.closeIdleConnections())
  const running = trackResponses(server)

  return {
    server,
    /**
     * Disables keep-alive: each response closes its connection, so clients move to another node.
     */
    stopKeepingAlive(): void {
      keepsAlive = false
    },
    /** Accepts no more connections; those that are open are served. */
    stopAccepting: (): void => void server.close(),
    /**
     * Graceful shutdown: waits for running requests, then closes the server, which listens until
     * then so that readiness probes see the failure. After `longestMs`, closes all connections.
     */
    async drain(longestMs: number): Promise<void> {
      keepsAlive = false
      draining = true
      // Destroys streams instead of ending them: clients reconnect only after a lost connection.
      for (const response of running.all()) if (isListening(response.req)) response.destroy()
      await finish(server, running, longestMs)
    },
  }
}

/** Passes requests to the handlers, and to their observer; 503 until the handlers are known. */
function createServe(handlers: () => HttpHandlers | undefined): RequestListener {
  let known: HttpHandlers | undefined
  let dispatch: Dispatch | undefined
  return (request, response) => {
    known ??= handlers()
    if (known === undefined) {
      response.writeHead(503, { 'retry-after': '1' }).end()
      return
    }
    stripBasePath(request, known.basePath ?? '')
    dispatch ??= createDispatch(known)
    if (known.observe === undefined) dispatch(request, response)
    else known.observe(request, response, dispatch)
  }
}

type Dispatch = (request: IncomingMessage, response: ServerResponse) => void

/** Checks a request, and passes it to the handler of callers' POSTs, a mount, or Hono. */
function createDispatch({ guard, refuse, calls, fetch, mounts, basePath }: HttpHandlers): Dispatch {
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false })
  return (request, response) => {
    try {
      normalizeTarget(request)
      stripBasePath(request, basePath ?? '')
      dropTrailingSlash(request)
      guard(request)
    } catch (error) {
      if (refuse?.(request, response, error) !== true) writeError(response, error)
      return
    }
    if (calls?.(request, response)) return
    void (mountedHandler(mounts, request.url ?? '/') ?? listener)(request, response)
  }
}

/** Waits for running responses and for later ones; closes idle connections meanwhile. */
async function finish(server: Server, running: RunningResponses, longestMs: number): Promise<void> {
  const responses = running.all()
  const cutOff = setTimeout(() => server.closeAllConnections(), longestMs)
  running.closeAfterLast()
  await Promise.all(
    responses.map((response) => new Promise((done) => response.once('close', done))),
  )
  // Repeats, because Node reports a connection as busy for a moment after its response has ended.
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

/** Accept queue of the listening socket; the system may cap it (`net.core.somaxconn`). */
const BACKLOG = 4096

/** In a worker of a cluster, Node gives only the code and the address: "bind EADDRINUSE …". */
function withReason(error: NodeJS.ErrnoException): Error {
  const [code = '', reason = ''] = getSystemErrorMap().get(error.errno ?? 0) ?? []
  if (!error.message.includes(reason)) error.message = error.message.replace(code, `$&: ${reason}`)
  return error
}

/** Completes an error of `listen` with the variable to change, and throws it. */
export function throwWithRemedy(
  error: NodeJS.ErrnoException,
  variables: { readonly host: string; readonly port: string },
): never {
  const remedy = REMEDIES[error.code ?? '']?.(variables)
  if (remedy !== undefined) error.message += `: ${remedy}`
  throw error
}

type Remedy = (variables: { readonly host: string; readonly port: string }) => string

const otherHost: Remedy = ({ host }) => `${host} must be an address of this machine`
const REMEDIES: Readonly<Record<string, Remedy>> = {
  EADDRINUSE: ({ port }) => `set ${port} to a free port, or stop the other process`,
  EACCES: ({ port }) => `set ${port} to a port that this user may use, such as above 1023`,
  EADDRNOTAVAIL: otherHost,
  ENOTFOUND: otherHost,
}

/**
 * Logs connections that cannot be accepted, such as for lack of file descriptors: without a listener,
 * Node would end the process. Call it once the server listens.
 */
export function logAcceptErrors(server: Server, log: Pick<Logger, 'error'>): void {
  server.on('error', (error) => log.error({ err: error }, 'connection not accepted'))
}

/** Listens and resolves with the port. Rejects if the address is in use. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(withReason(error))
    server.once('error', refuse)
    server.listen({ port, host, backlog: BACKLOG }, () => {
      server.off('error', refuse)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
