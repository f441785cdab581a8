/** Port of the upstream API: methods for tools, and the token source. Driver: `api-client.ts`. */

import type { Params } from './route.ts'

export interface TokenOptions {
  /** The upstream rejected the last token: refresh even if it has not expired. */
  readonly forceRefresh?: boolean
  readonly signal?: AbortSignal
}

/** Source of a caller's upstream access token, never the one presented here (token passthrough). */
export interface TokenSource {
  accessToken(options?: TokenOptions): Promise<string | undefined>
  /** Called on a final 401 or 403; may reject with a more specific error. */
  refused?(status?: number): Promise<void>
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * The message for the model on a 4xx response; undefined for the standard message. `body` is the
 * parsed JSON or the text; undefined if it is neither, exceeds 64 KiB or times out.
 */
export type Explain = (status: number, body: unknown) => string | undefined

export interface ReadOptions {
  /** Aborts the request; the end of the tool call always does. */
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Form of the response body. Default `json`. */
  readonly as?: 'json' | 'text' | 'bytes' | 'stream'
  /** Maximum size of the response body, in bytes. Default 1 MiB. */
  readonly maxBytes?: number
  /** Timeout of the request, including retries and body. Default UPSTREAM_API_TIMEOUT. */
  readonly timeoutMs?: number
  /** RFC 9110, 13.1.1: only if the resource still has this ETag; otherwise the API returns 412. */
  readonly ifMatch?: string | undefined
  /** RFC 9110, 13.1.2: only if the resource no longer has this ETag; else 304, not an error. */
  readonly ifNoneMatch?: string | undefined
  /** Statuses other than 2xx that are not errors, such as 404 or 412; never 401. */
  readonly statuses?: readonly number[]
  /**
   * Follows redirects, with GET and without token and headers: `true` follows to public addresses
   * over https, a list only to these origins.
   */
  readonly follow?: boolean | readonly string[]
  readonly explain?: Explain
}

export interface WriteOptions extends ReadOptions {
  /**
   * `URLSearchParams` is sent as a form, `FormData` as multipart, `Uint8Array`, `ArrayBuffer` and
   * `Blob` unchanged, everything else as JSON.
   */
  readonly body?: unknown
  /** Content type of JSON (`application/merge-patch+json`) or bytes. Default by the body's type. */
  readonly contentType?: string
  /** Sent as `Idempotency-Key`; makes a POST or PATCH safe to retry. */
  readonly idempotencyKey?: string
}

export interface UpstreamResponse<T = unknown> {
  readonly status: number
  /**
   * By lower-case name; values of one name are joined by `, `. Cookies are removed, credentials
   * are replaced by `*`.
   */
  readonly headers: Readonly<Record<string, string>>
  /** The targets of the `Link` header as absolute URLs, by relation (RFC 8288), such as `next`. */
  readonly links: Readonly<Record<string, string>>
  /** Without content: undefined for JSON, otherwise an empty string, array or stream. */
  readonly body: T
}

interface ShortForm<Options extends ReadOptions> {
  <T = unknown>(
    route: string,
    params?: Params,
    options?: Options & { readonly as?: 'json' },
  ): Promise<T>
  (route: string, params: Params, options: Options & { readonly as: 'text' }): Promise<string>
  (route: string, params: Params, options: Options & { readonly as: 'bytes' }): Promise<Uint8Array>
  (
    route: string,
    params: Params,
    options: Options & { readonly as: 'stream' },
  ): Promise<ReadableStream<Uint8Array>>
}

interface RequestForm {
  <T = unknown>(
    method: Method,
    route: string,
    params?: Params,
    options?: WriteOptions & { readonly as?: 'json' },
  ): Promise<UpstreamResponse<T>>
  (
    method: Method,
    route: string,
    params: Params,
    options: WriteOptions & { readonly as: 'text' },
  ): Promise<UpstreamResponse<string>>
  (
    method: Method,
    route: string,
    params: Params,
    options: WriteOptions & { readonly as: 'bytes' },
  ): Promise<UpstreamResponse<Uint8Array>>
  (
    method: Method,
    route: string,
    params: Params,
    options: WriteOptions & { readonly as: 'stream' },
  ): Promise<UpstreamResponse<ReadableStream<Uint8Array>>>
}

/** Pagination style: `Link: <…>; rel="next"`, a cursor in the body, or page numbers. */
export type Paging =
  | { readonly by: 'link' }
  | {
      readonly by: 'cursor'
      /** The query parameter of the cursor. */
      readonly parameter: string
      /** The next cursor in a page's body; an empty or missing one ends the list. */
      readonly cursor: (body: unknown) => string | number | null | undefined
    }
  | {
      readonly by: 'page'
      /** The query parameter of the page number; an empty page ends the list. */
      readonly parameter: string
      /** Default 1. */
      readonly first?: number
    }

interface PageBounds {
  /** Default 10. */
  readonly maxPages?: number
  /** Extracts the items of a page; if left out, the body must be a list. */
  readonly items?: (body: unknown) => unknown
}

interface ItemBounds extends PageBounds {
  /** Default 1000. */
  readonly maxItems?: number
}

export type PageOptions = ReadOptions & PageBounds & Paging
export type ItemOptions = ReadOptions & ItemBounds & Paging

/**
 * The upstream API on behalf of one caller. Routes look like `/accounts/{id}`; parameters that
 * the route does not name go to the query string. The short forms resolve with the body. All reject
 * with UpstreamError, and with TypeError for an invalid route, parameter, header or body.
 */
export interface Upstream {
  readonly get: ShortForm<ReadOptions>
  readonly post: ShortForm<WriteOptions>
  readonly put: ShortForm<WriteOptions>
  readonly patch: ShortForm<WriteOptions>
  readonly delete: ShortForm<WriteOptions>
  /** The whole response: status, headers, links and body. */
  readonly request: RequestForm
  /** Yields one page at a time, fetched by GET on demand. */
  pages<T = unknown>(
    route: string,
    params: Params,
    options: PageOptions,
  ): AsyncGenerator<UpstreamResponse<T>, void, void>
  /** Yields the items of all pages. */
  items<T = unknown>(
    route: string,
    params: Params,
    options: ItemOptions,
  ): AsyncGenerator<T, void, void>
}

/** A server's first upstream API, with the named ones as properties: `upstream.github.get(…)`. */
export type Upstreams<Names extends string = never> = Upstream & {
  readonly [name in Names]: Upstream
}
