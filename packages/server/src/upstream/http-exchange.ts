/**
 * Sends API requests over HTTP; loaded with the first one. Owns the connection pools, and
 * follows redirects to downloads on other hosts, without credentials, if the tool asks for it.
 */

import { isIP } from 'node:net'
import { type Dispatcher, request } from 'undici'
import type { Exchange } from './api-attempt.ts'
import { discardBody, type Response } from './api-response.ts'
import { createGuardedAgent } from './guarded-agent.ts'
import type { Outgoing } from './outgoing.ts'
import { isPublicAddress } from './public-address.ts'
import type { Method, WriteOptions } from './upstream.ts'
import { errorForTransport, UpstreamError } from './upstream-error.ts'

export interface HttpExchangeOptions {
  /** Sends the requests; a pool of its own if left out. Only its own pools are closed. */
  readonly dispatcher?: Dispatcher | undefined
  /** Connects to public addresses only (SSRF guard); a guarded pool if left out. */
  readonly publicDispatcher?: Dispatcher | undefined
  readonly outgoing: Outgoing
  /** Of connections and responses. */
  readonly timeoutMs: number
}

export type HttpExchange = Awaited<ReturnType<typeof openHttpExchange>>

/** Opens the connection pools. */
export async function openHttpExchange(options: HttpExchangeOptions) {
  const { outgoing, timeoutMs } = options
  const limits = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
  const dispatcher =
    options.dispatcher ??
    (await outgoing.openDispatcher({ connect: { timeout: timeoutMs }, ...limits }))
  let guarded = options.publicDispatcher
  const publicDispatcher = () => {
    guarded ??= createGuardedAgent({ timeoutMs, proxyFor: outgoing.proxyFor })
    return guarded
  }
  return {
    exchange: exchangeBy({ dispatcher, publicDispatcher }),
    /** Waits for requests in flight, then closes the connections. */
    async close(): Promise<void> {
      if (!options.dispatcher) await dispatcher.close()
      if (!options.publicDispatcher) await guarded?.close()
    },
  }
}

function exchangeBy(deps: RedirectDeps): Exchange {
  return async ({ method, url, content, timeoutMs, options: { follow } }, headers, signal) => {
    const limits = { signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs }
    const { dispatcher } = deps
    try {
      const response = await request(url, { method, headers, body: content, dispatcher, ...limits })
      if (!isFollowed(response.statusCode, method, follow)) return response
      const { accept = '*/*' } = headers
      return await followRedirects(response, { method, from: url, follow, accept, limits }, deps)
    } catch (error) {
      throw errorForTransport(error)
    }
  }
}

const MAX_REDIRECTS = 5
/** RFC 9110, 15.4; after methods other than GET and HEAD, only 303 is followed. */
const OF_READS = new Set([301, 302, 303, 307, 308])
const SEE_OTHER = 303

interface RedirectDeps {
  /** For origins that the tool lists. */
  readonly dispatcher: Dispatcher
  /** Connects to public addresses only (SSRF guard). */
  readonly publicDispatcher: () => Dispatcher
}

interface RedirectOptions {
  readonly method: Method
  readonly from: URL
  readonly follow: NonNullable<WriteOptions['follow']>
  readonly accept: string
  readonly limits: Pick<Dispatcher.RequestOptions, 'signal' | 'headersTimeout' | 'bodyTimeout'>
}

function isFollowed(
  status: number,
  method: Method,
  follow: WriteOptions['follow'],
): follow is true | readonly string[] {
  if (follow === undefined || follow === false) return false
  return method === 'GET' || method === 'HEAD' ? OF_READS.has(status) : status === SEE_OTHER
}

/**
 * The final response after all redirects. Every request has a connection-level SSRF guard or a
 * target that the tool lists, and carries no token, API key, cookies or headers of the tool.
 * @throws UpstreamError `upstream_bad_response` for a target that is rejected
 */
async function followRedirects(
  first: Response,
  options: RedirectOptions,
  { dispatcher, publicDispatcher }: RedirectDeps,
): Promise<Response> {
  const { follow, limits } = options
  const method = options.method === 'HEAD' ? 'HEAD' : 'GET'
  const seen = new Set([options.from.href])
  let response = first
  let url = options.from
  while (OF_READS.has(response.statusCode)) {
    const from = response
    discardBody(from)
    url = targetOf(from, url, follow)
    if (seen.has(url.href)) throw refused(from, 'redirect loop')
    if (seen.size > MAX_REDIRECTS) throw refused(from, 'too many redirects')
    seen.add(url.href)
    response = await request(url, {
      method,
      headers: { accept: options.accept, 'accept-encoding': 'identity' },
      ...limits,
      dispatcher: follow === true ? publicDispatcher() : dispatcher,
    })
  }
  if (response.statusCode !== 401) return response
  discardBody(response)
  // Not `upstream_unauthorized`: this host never received the caller's token.
  throw new UpstreamError('upstream_rejected', { status: 401, reason: 'redirect' })
}

/** @throws UpstreamError */
function targetOf(response: Response, from: URL, follow: RedirectOptions['follow']): URL {
  const { location } = response.headers
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) {
    throw refused(response, 'redirect without a location')
  }
  const url = new URL(location, from)
  url.hash = ''
  const isEncrypted = url.protocol === 'https:'
  // No downgrade from https to http, which would expose the download to tampering.
  if (!isEncrypted && (url.protocol !== 'http:' || from.protocol !== 'http:')) {
    throw refused(response, 'redirect to another scheme')
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(response, 'redirect with credentials')
  }
  if (Array.isArray(follow)) {
    const isNamed = follow.some((each) => URL.canParse(each) && new URL(each).origin === url.origin)
    if (!isNamed) throw refused(response, 'redirect to an origin that is not named')
    return url
  }
  // A literal address skips the guarded lookup. `URL` has normalized its notation.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) && !isPublicAddress(host)) throw refused(response, 'redirect to a private address')
  return url
}

function refused({ statusCode: status }: Response, reason: string): UpstreamError {
  return new UpstreamError('upstream_bad_response', { status, reason })
}
