/** Host and Origin validation: the guard against DNS rebinding. */

import type { IncomingMessage } from 'node:http'
import { isLoopbackHost } from '../config/loopback.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { OPEN_PREFIX, type RouteTable } from './routes.ts'

export interface AllowedHosts {
  /** Base URL of the server, as clients know it. */
  readonly publicUrl: string
  /** Additional host names, such as an internal one behind a load balancer. */
  readonly hosts: readonly string[]
  /** Additional origins of browser-based clients; `*` allows all origins on routes of callers. */
  readonly origins: readonly string[]
  /** Allows pages from loopback origins (development: the Inspector and similar tools). */
  readonly loopbackOrigins: boolean
  /** Route table: probes skip the host check, and open routes the origin check. */
  readonly routes: Pick<RouteTable, 'find'>
}

export type HostGuard = (request: Pick<IncomingMessage, 'headers' | 'url'>) => void

/** Maximum length of a logged header value. */
const LONGEST = 100

/**
 * Creates the guard that runs before everything else. The guard throws `misdirected_request` for an
 * unknown host (RFC 9110, 15.5.20) and `forbidden` for an origin that is not allowed
 * (2025-11-25, basic/transports, "Security Warning").
 */
export function createHostGuard(allowed: AllowedHosts): HostGuard {
  const own = new URL(allowed.publicUrl)
  const hosts = new Set([own.hostname, ...allowed.hosts.map(lowerCase)])
  const origins = new Set([own.origin, ...allowed.origins.map(lowerCase)])
  // Tokens authorize callers, not cookies, so that pages of other origins gain nothing.
  const anyOrigin = origins.has('*')

  const serves = (header: string | undefined) => {
    // Common case: needs no parsing.
    if (header !== undefined && hosts.has(header)) return true
    const host = parseHost(header)
    if (host === undefined) return false
    // A host that is configured with a port matches that port only.
    return hosts.has(host.name) || hosts.has(host.nameAndPort) || isLoopbackHost(host.name)
  }

  return ({ headers, url = '' }) => {
    // Health probes use IP addresses as host; their responses disclose nothing.
    if (!serves(headers.host) && allowed.routes.find(url)?.isProbe !== true) {
      throw new AppError('misdirected_request', 'This server does not serve this host.')
    }
    const { origin } = headers
    if (origin === undefined || origins.has(origin) || url.startsWith(OPEN_PREFIX)) return
    if (allowed.loopbackOrigins && isLoopbackOrigin(origin)) return
    const route = allowed.routes.find(url)
    if (route?.origins === 'any' || (anyOrigin && route?.audience === 'callers')) return
    throw new AppError('forbidden', 'This origin may not call the server.')
  }
}

/**
 * Wraps the guard and logs each refusal: behind a proxy that rewrites Host, the log line is the
 * operator's only hint.
 */
export function logRefusals(guard: HostGuard, log: Pick<Logger, 'info'>): HostGuard {
  return (request) => {
    try {
      guard(request)
    } catch (error) {
      const { host, origin } = request.headers
      // The field is not named `host`, which every log line uses for the machine's name.
      const facts = { requestHost: host?.slice(0, LONGEST), origin: origin?.slice(0, LONGEST) }
      log.info({ ...facts, err: error }, 'host or origin refused')
      throw error
    }
  }
}

/** Parses `host` or `host:port`; undefined for anything else. */
function parseHost(header: string | undefined) {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header ?? '')
  const [nameAndPort, name] = match ?? []
  if (nameAndPort === undefined || name === undefined) return undefined
  return { name: name.toLowerCase(), nameAndPort: nameAndPort.toLowerCase() }
}

/** Browsers send hosts and origins in lower case; configuration may use any case. */
function lowerCase(text: string): string {
  return text.toLowerCase()
}

function isLoopbackOrigin(origin: string): boolean {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return false
  const url = new URL(origin)
  // Equality with the serialized origin rules out user info, paths and unusual spellings.
  return url.origin === origin && isLoopbackHost(url.hostname)
}
