/** `/metrics`: for Prometheus, and for nobody else. */

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import ipaddr from 'ipaddr.js'
import { isLoopbackHost } from '../config/loopback.ts'
import type { LoadedConfig } from '../config.ts'
import { timingSafeEqualStrings } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { writeError } from './error-response.ts'
import type { HttpEnv } from './http-env.ts'
import { listen } from './http-server.ts'

export interface MetricsAccess {
  /** Who shows it may read. */
  readonly token: string | undefined
  /** Whether programs on this machine may read without it. */
  readonly loopback: boolean
}

const FORWARDED = /^(?:forwarded|via|x-real-ip|x-forwarded-.+)$/
const MOST_MS = 10_000
/** A few scrapers. */
const MAX_SOCKETS = 100

/** Answers at the main port. Whoever may not read is passed on, to where there is nothing. */
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

/**
 * Opens the port of its own, if there is to be one. Without a token, whoever reaches it may read; on
 * this machine alone, whoever reaches it by a name of this machine (pages are led here by others).
 * Rejects when the address is in use.
 */
export async function openMetricsPort(
  metrics: Pick<Metrics, 'scrape'>,
  { config, secrets }: Pick<LoadedConfig, 'config' | 'secrets'>,
) {
  const { host, port } = config.metrics
  if (port === undefined) return undefined
  const token = secrets.metricsToken
  const isLocal = isLoopbackHost(host) || host === '::1'
  const server = createMetricsServer(metrics, (request) => {
    if (token !== undefined) return showsToken(request, token)
    return !isLocal || isLoopbackHost(hostOf(request))
  })
  return {
    port: await listen(server, host, port).catch((error: Error) => {
      error.message = `metrics cannot be served at ${host}:${port}: ${error.message}`
      throw error
    }),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function createMetricsServer(
  metrics: Pick<Metrics, 'scrape'>,
  mayRead: (request: IncomingMessage) => boolean,
): Server {
  const limits = { headersTimeout: MOST_MS, requestTimeout: MOST_MS }
  const server = createServer(limits, async (request, response) => {
    const isMetrics = request.url?.split('?', 1)[0] === '/metrics' && isRead(request)
    if (!isMetrics || !mayRead(request)) {
      writeError(response, new AppError('not_found', 'There is nothing at this address.'))
      return
    }
    const { contentType, text } = await metrics.scrape()
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' })
    response.end(text)
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

/** By its address, by the name it calls us, and not on behalf of another: a proxy is on this machine. */
function isFromThisMachine({ socket, headers }: IncomingMessage): boolean {
  const peer = socket.remoteAddress ?? ''
  if (!ipaddr.isValid(peer) || ipaddr.process(peer).range() !== 'loopback') return false
  return (
    isLoopbackHost(hostOf({ headers })) &&
    !Object.keys(headers).some((name) => FORWARDED.test(name))
  )
}

/** The name that a request calls us by, without the port. */
function hostOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  return /^(.*?)(?::\d+)?$/.exec(headers.host ?? '')?.[1] ?? ''
}
