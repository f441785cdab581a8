/** `/metrics` for Prometheus, with access control. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import ipaddr from 'ipaddr.js'
import { isLoopbackHost } from '../config/loopback.ts'
import type { LoadedConfig } from '../config.ts'
import { timingSafeEqualStrings } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { writeError } from './error-response.ts'
import type { HttpEnv } from './http-env.ts'
import { listen, logAcceptErrors, throwWithRemedy } from './http-server.ts'

export interface MetricsAccess {
  /** Bearer token that grants access. */
  readonly token: string | undefined
  /** Whether loopback clients have access without a token. */
  readonly loopback: boolean
}

const FORWARDED = /^(?:forwarded|via|x-real-ip|x-forwarded-.+)$/
const MOST_MS = 10_000
/** Enough for a few scrapers. */
const MAX_SOCKETS = 100

/** Serves metrics on the main port; requests without access fall through to 404. */
export function metricsAtMainPort(
  metrics: Pick<Metrics, 'scrape'>,
  access: MetricsAccess,
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const { incoming } = c.env
    if (!isRead(incoming) || !mayRead(incoming, access)) return next()
    const { contentType, text } = await metrics.scrape()
    return c.body(text, 200, { 'content-type': contentType, 'cache-control': 'no-store' })
  }
}

interface MetricsPortDeps extends Pick<LoadedConfig, 'config' | 'secrets'> {
  readonly log: Pick<Logger, 'error'>
}

/**
 * Opens the dedicated metrics port, if configured. Without a token, access is open; on a loopback
 * address, the Host header must also be a loopback name, against DNS rebinding.
 * Rejects if the address is in use.
 */
export async function openMetricsPort(
  metrics: Pick<Metrics, 'scrape'>,
  { config, secrets, log }: MetricsPortDeps,
) {
  const { host, port } = config.metrics
  if (port === undefined) return undefined
  const token = secrets.metricsToken
  const isLocal = isLoopbackHost(host) || host === '::1'
  const server = createMetricsServer({ metrics, log }, (request) => {
    if (token !== undefined) return showsToken(request, token)
    return !isLocal || isLoopbackHost(hostOf(request))
  })
  const taken = await listen(server, host, port).catch((error: Error) => {
    error.message = `metrics cannot be served at ${host}:${port}: ${error.message}`
    throwWithRemedy(error, { host: 'METRICS_HOST', port: 'METRICS_PORT' })
  })
  logAcceptErrors(server, log)
  return {
    port: taken,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function createMetricsServer(
  { metrics, log }: { readonly metrics: Pick<Metrics, 'scrape'> } & Pick<MetricsPortDeps, 'log'>,
  mayRead: (request: IncomingMessage) => boolean,
): Server {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isMetrics = request.url?.split('?', 1)[0] === '/metrics' && isRead(request)
    if (!isMetrics || !mayRead(request)) {
      throw new AppError('not_found', 'There is nothing at this address.')
    }
    const { contentType, text } = await metrics.scrape().catch((error: unknown) => {
      log.error({ err: error }, 'metrics not collected')
      throw error
    })
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' })
    response.end(text)
  }

  const limits = { headersTimeout: MOST_MS, requestTimeout: MOST_MS }
  const server = createServer(limits, (request, response) => {
    answer(request, response).catch((error: unknown) => writeError(response, error))
  })
  server.maxConnections = MAX_SOCKETS
  return server
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}

function mayRead(request: IncomingMessage, { token, loopback }: MetricsAccess): boolean {
  if (token !== undefined && showsToken(request, token)) return true
  return loopback && isFromThisMachine(request)
}

function showsToken({ headers }: IncomingMessage, token: string): boolean {
  return timingSafeEqualStrings(headers.authorization ?? '', `Bearer ${token}`)
}

/** Loopback peer and Host (DNS rebinding), and no proxy headers, which a local proxy would add. */
function isFromThisMachine({ socket, headers }: IncomingMessage): boolean {
  const peer = socket.remoteAddress ?? ''
  if (!ipaddr.isValid(peer) || ipaddr.process(peer).range() !== 'loopback') return false
  return (
    isLoopbackHost(hostOf({ headers })) &&
    !Object.keys(headers).some((name) => FORWARDED.test(name))
  )
}

/** The Host header without the port. */
function hostOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  return /^(.*?)(?::\d+)?$/.exec(headers.host ?? '')?.[1] ?? ''
}
