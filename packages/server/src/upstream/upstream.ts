/** What tools see of an upstream API, and what it needs to act for somebody. Driver: `api-client.ts`. */

import type { Params } from './route.ts'

export interface TokenOptions {
  /** The upstream refused the last token: get a new one even if it looks good. */
  readonly forceRefresh?: boolean
  readonly signal?: AbortSignal
}

/** Where a caller's upstream access token comes from; undefined when there is none. */
export interface TokenSource {
  accessToken(options?: TokenOptions): Promise<string | undefined>
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export interface WriteOptions extends ReadOptions {
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as `Idempotency-Key`; makes a POST or PATCH safe to retry. */
  readonly idempotencyKey?: string
}

/**
 * The upstream API in the name of one caller. Routes look like `/accounts/{id}`; parameters that
 * the route does not name go to the query string. Resolves with the parsed JSON (undefined for an
 * answer without content) and rejects with UpstreamError; TypeError for a wrong route, parameter or header.
 */
export interface Upstream {
  get<T = unknown>(route: string, params?: Params, options?: ReadOptions): Promise<T>
  post<T = unknown>(route: string, params?: Params, options?: WriteOptions): Promise<T>
  put<T = unknown>(route: string, params?: Params, options?: WriteOptions): Promise<T>
  patch<T = unknown>(route: string, params?: Params, options?: WriteOptions): Promise<T>
  delete<T = unknown>(route: string, params?: Params, options?: WriteOptions): Promise<T>
}
