/** Which hosts and origins may talk to the server: the guard against DNS rebinding. */

import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '../config/loopback.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { OPEN_PREFIX, type RouteTable } from './routes.ts'

export interface AllowedHosts {
  /** The address clients use. */
  readonly publicUrl: string
  /** More host names, such as an inner one behind a balancer. */
  readonly hosts: readonly string[]
  /** More origins of browser-based clients. */
  readonly origins: readonly string[]
  /** Whether pages served on this machine may call (development: the Inspector and the like). */
  readonly loopbackOrigins: boolean
  /** Probes are served under any host, and open routes to pages of any origin. */
  readonly routes: Pick<RouteTable, 'find'>
}

export type HostGuard = (request: Pick<IncomingMessage, 'headers' | 'url'>) => void

/** What is logged of a header. */
const LONGEST = 100

/**
 * Makes the check that comes before everything else. It throws `misdirected_request` for a host
 * that is not ours (RFC 9110, 15.5.20) and `forbidden` for an origin that may not call
 * (2025-11-25, basic/transports, "Security Warning").
 */
export function createHostGuard(allowed: AllowedHosts): HostGuard {
  const own = new URL(allowed.publicUrl)
  const hosts = new Set([own.hostname, ...allowed.hosts.map(lowerCase)])
  const origins = new Set([own.origin, ...allowed.origins.map(lowerCase)])

  const serves = (header: string | undefined) => {
    const host = parseHost(header)
    if (host === undefined) return false
    // A host that is allowed with a port is served on that one only.
    return hosts.has(host.name) || hosts.has(host.nameAndPort) || isLoopbackHost(host.name)
  }

  return ({ headers, url = '' }) => {
    // Probes call by address, and learn nothing.
    if (!serves(headers.host) && allowed.routes.find(url)?.isProbe !== true) {
      throw new AppError('misdirected_request', 'This host is not served here.')
    }
    const { origin } = headers
    if (origin === undefined || origins.has(origin) || url.startsWith(OPEN_PREFIX)) return
    if (allowed.loopbackOrigins && isLoopbackOrigin(origin)) return
    if (allowed.routes.find(url)?.origins === 'any') return
    throw new AppError('forbidden', 'This origin may not call the server.')
  }
}

/**
 * The same, with a log line for each refusal: behind a proxy that sends another host it is all an
 * operator has to go by.
 */
export function tellRefusals(guard: HostGuard, log: Pick<Logger, 'info'>): HostGuard {
  return (request) => {
    try {
      guard(request)
    } catch (error) {
      const { host, origin } = request.headers
      // Not "host", which names the machine in every line.
      const facts = { requestHost: host?.slice(0, LONGEST), origin: origin?.slice(0, LONGEST) }
      log.info({ ...facts, err: error }, 'host or origin refused')
      throw error
    }
  }
}

/** Undefined for anything that is not exactly `host` or `host:port`. */
function parseHost(header: string | undefined) {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header ?? '')
  const [nameAndPort, name] = match ?? []
  if (nameAndPort === undefined || name === undefined) return undefined
  return { name: name.toLowerCase(), nameAndPort: nameAndPort.toLowerCase() }
}

/** Browsers send hosts and origins in lower case; people write them as they like. */
function lowerCase(text: string): string {
  return text.toLowerCase()
}

function isLoopbackOrigin(origin: string): boolean {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return false
  const url = new URL(origin)
  // Equal to its own serialisation: no user info, path or odd spelling got past the parser.
  return url.origin === origin && isLoopbackHost(url.hostname)
}
