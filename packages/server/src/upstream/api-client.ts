/** The upstream API client: sends requests on behalf of a caller. Loads its HTTP client lazily. */

import type { Dispatcher } from 'undici'
import type { Tracing } from '../telemetry/tracing.ts'
import type { CallScope } from './api-attempt.ts'
import { createApiCall } from './api-call.ts'
import type { HttpExchange } from './http-exchange.ts'
import { createOutgoing, type Outgoing } from './outgoing.ts'
import { parseBaseUrl } from './route.ts'
import type { TokenSource, Upstream } from './upstream.ts'
import { createUpstreamMethods } from './upstream-methods.ts'

export interface ApiClientOptions {
  /** Base URL of all routes; may have a path. */
  readonly baseUrl: string
  readonly apiKey?: string | undefined
  /** The header that carries the API key. Default `x-api-key`. */
  readonly apiKeyHeader?: string | undefined
  /** The header that carries the caller's token. Default `authorization`. */
  readonly tokenHeader?: string | undefined
  /** Formats that header's value. Default `Bearer TOKEN` (RFC 6750, 2.1). */
  readonly tokenValue?: ((token: string) => string) | undefined
  /** Timeout of a whole call, including retries and token refresh. Default 10 000. */
  readonly timeoutMs?: number | undefined
  /** Maximum size of a response body, in bytes. Default 1 MiB. */
  readonly maxBytes?: number | undefined
  readonly userAgent: string
}

export interface ApiClientDeps {
  /** Sends the requests; a pool of its own if left out. The client closes only its own pool. */
  readonly dispatcher?: Dispatcher
  /** Proxy settings; no proxy if left out. */
  readonly outgoing?: Outgoing | undefined
  /** Follows redirects to public addresses only (SSRF guard); a guarded pool if left out. */
  readonly publicDispatcher?: Dispatcher
  /** Unix time in milliseconds. */
  now(): number
  /** Waits between retries; rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** From 0 (inclusive) to 1 (exclusive), for the back-off's jitter. */
  random(): number
  readonly tracing?: Tracing | undefined
}

export type ApiClient = ReturnType<typeof createApiClient>

/** Creates the client of one upstream. Throws TypeError when `baseUrl` is invalid. */
export function createApiClient(options: ApiClientOptions, deps: ApiClientDeps) {
  const timeoutMs = options.timeoutMs ?? 10_000
  const { outgoing = createOutgoing() } = deps
  const base = parseBaseUrl(options.baseUrl)
  const { dispatcher, publicDispatcher, now, sleep, random, tracing } = deps
  let opening: Promise<HttpExchange> | undefined
  const open = () => {
    opening ??= import('./http-exchange.ts').then(({ openHttpExchange }) =>
      openHttpExchange({ dispatcher, publicDispatcher, outgoing, timeoutMs }),
    )
    return opening
  }
  const call = createApiCall(
    {
      base,
      apiKey: options.apiKey,
      apiKeyHeader: (options.apiKeyHeader ?? 'x-api-key').toLowerCase(),
      tokenHeader: (options.tokenHeader ?? 'authorization').toLowerCase(),
      tokenValue: options.tokenValue ?? ((token) => `Bearer ${token}`),
      timeoutMs,
      maxBytes: options.maxBytes ?? 1024 * 1024,
      userAgent: options.userAgent,
    },
    {
      exchange: async (...given) => (await open()).exchange(...given),
      ...{ now, sleep, random, tracing },
    },
  )

  return {
    /** The API on behalf of one caller. Sends its tokens only to the origin of `baseUrl`. */
    forCaller: (tokens: TokenSource, scope: CallScope = {}): Upstream =>
      createUpstreamMethods(
        (method, route, params, asked) =>
          call({ method, route, params, options: asked, tokens, scope }),
        base,
      ),
    /** Graceful shutdown: waits for calls in flight, then closes the connections. */
    close: async (): Promise<void> => (await opening)?.close(),
  }
}
