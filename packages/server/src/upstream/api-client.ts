/** The upstream API client: keeps the connections and speaks in the name of a caller. */

import { Agent, type Dispatcher } from 'undici'
import type { Tracing } from '../telemetry/tracing.ts'
import { createApiCall, type Method } from './api-call.ts'
import { type Params, parseBaseUrl } from './route.ts'
import type { TokenSource, Upstream, WriteOptions } from './upstream.ts'

export interface ApiClientOptions {
  /** Where routes start; may have a path. */
  readonly baseUrl: string
  readonly apiKey?: string | undefined
  /** The header that carries the API key. Default `x-api-key`. */
  readonly apiKeyHeader?: string | undefined
  /** How a caller's token is sent. Default `authorization: Bearer {key}`. */
  readonly tokenHeader?: { readonly name: string; readonly template: string } | undefined
  /** For a whole call, retries and token refresh included. Default 10 000. */
  readonly timeoutMs?: number | undefined
  /** The longest answer accepted, in bytes. Default 1 MiB. */
  readonly maxBytes?: number | undefined
  readonly userAgent: string
}

export interface ApiClientDeps {
  /** Carries the requests; a pool of its own without it. The client closes only its own. */
  readonly dispatcher?: Dispatcher
  /** Unix time in milliseconds. */
  now(): number
  /** Waits between retries; rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** From 0 to below 1, for the jitter. */
  random(): number
  readonly tracing?: Tracing | undefined
}

export interface ApiClient {
  /** The API in the name of one caller. The tokens go to the origin of `baseUrl` only. */
  forCaller(tokens: TokenSource): Upstream
  /** Lets calls in flight finish, then closes the connections. */
  close(): Promise<void>
}

/** Creates the client of one upstream. Throws TypeError when `baseUrl` is unusable. */
export function createApiClient(options: ApiClientOptions, deps: ApiClientDeps): ApiClient {
  const timeoutMs = options.timeoutMs ?? 10_000
  const dispatcher = deps.dispatcher ?? createPool(timeoutMs)
  const call = createApiCall(
    {
      base: parseBaseUrl(options.baseUrl),
      apiKey: options.apiKey,
      tokenHeader: options.tokenHeader,
      apiKeyHeader: (options.apiKeyHeader ?? 'x-api-key').toLowerCase(),
      timeoutMs,
      maxBytes: options.maxBytes ?? 1024 * 1024,
      userAgent: options.userAgent,
    },
    { ...deps, dispatcher },
  )

  function forCaller(tokens: TokenSource): Upstream {
    const method =
      (name: Method) =>
      <T>(route: string, params?: Params, write?: WriteOptions) =>
        call(name, route, params ?? {}, write ?? {}, tokens) as Promise<T>
    return {
      get: method('GET'),
      post: method('POST'),
      put: method('PUT'),
      patch: method('PATCH'),
      delete: method('DELETE'),
    }
  }

  async function close(): Promise<void> {
    if (!deps.dispatcher) await dispatcher.close()
  }
  return { forCaller, close }
}

function createPool(timeoutMs: number): Agent {
  return new Agent({
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
}
