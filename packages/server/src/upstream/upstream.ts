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
  /** Called where the API answers 401 or 403 for good; may reject with a better reason. */
  refused?(): Promise<void>
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Words for the model on a 4xx answer; undefined for the standard message. `body` is the parsed JSON,
 * the text, or undefined where it is neither, longer than 64 KiB or late.
 */
export type Explain = (status: number, body: unknown) => string | undefined

export interface ReadOptions {
  /** Ends the request besides the end of the call, which always does. */
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** How the body of the answer is read. Default `json`. */
  readonly as?: 'json' | 'text' | 'bytes' | 'stream'
  /** The longest body accepted, in bytes. Default 1 MiB. */
  readonly maxBytes?: number
  /** For the request with its retries and its body. Default UPSTREAM_API_TIMEOUT. */
  readonly timeoutMs?: number
  /** RFC 9110, 13.1.1: only where the resource still has this ETag; otherwise the API answers 412. */
  readonly ifMatch?: string | undefined
  /** RFC 9110, 13.1.2: only where the resource no longer has this ETag; a 304 is an answer then. */
  readonly ifNoneMatch?: string | undefined
  /** Statuses besides 2xx that are answers rather than errors, such as 404 or 412; never 401. */
  readonly statuses?: readonly number[]
  /**
   * Follows redirects, with GET and without the token and the headers: with `true` to public
   * addresses by https, with a list to these origins alone.
   */
  readonly follow?: boolean | readonly string[]
  readonly explain?: Explain
}

export interface WriteOptions extends ReadOptions {
  /**
   * `URLSearchParams` is sent as a form, `FormData` as multipart, `Uint8Array`, `ArrayBuffer` and `Blob`
   * as they are, everything else as JSON.
   */
  readonly body?: unknown
  /** Of JSON (`application/merge-patch+json`) and bytes. Default by the body. */
  readonly contentType?: string
  /** Sent as `Idempotency-Key`; makes a POST or PATCH safe to retry. */
  readonly idempotencyKey?: string
}

export interface UpstreamResponse<T = unknown> {
  readonly status: number
  /**
   * By name in lower case; values of one name are joined by `, `. Without cookies, and with `*` in
   * place of credentials.
   */
  readonly headers: Readonly<Record<string, string>>
  /** The targets of the `Link` header as absolute URLs, by relation (RFC 8288), such as `next`. */
  readonly links: Readonly<Record<string, string>>
  /** Undefined for JSON without content; an empty text, bytes or stream for the others. */
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

/** Where the next page is: by `Link: <…>; rel="next"`, by a cursor in the body, or by counting. */
export type Paging =
  | { readonly by: 'link' }
  | {
      readonly by: 'cursor'
      /** The query parameter that takes the cursor. */
      readonly parameter: string
      /** The cursor in a page; nothing, or an empty one, ends the list. */
      readonly cursor: (body: unknown) => string | number | null | undefined
    }
  | {
      readonly by: 'page'
      /** The query parameter that takes the number of the page; an empty page ends the list. */
      readonly parameter: string
      /** Default 1. */
      readonly first?: number
    }

interface PageBounds {
  /** Default 10. */
  readonly maxPages?: number
  /** The items of a page; without it the body must be a list. */
  readonly items?: (body: unknown) => unknown
}

interface ItemBounds extends PageBounds {
  /** Default 1000. */
  readonly maxItems?: number
}

export type PageOptions = ReadOptions & PageBounds & Paging
export type ItemOptions = ReadOptions & ItemBounds & Paging

/**
 * The upstream API in the name of one caller. Routes look like `/accounts/{id}`; parameters that
 * the route does not name go to the query string. The short forms resolve with the body. All reject
 * with UpstreamError, and with TypeError for a wrong route, parameter, header or body.
 */
export interface Upstream {
  readonly get: ShortForm<ReadOptions>
  readonly post: ShortForm<WriteOptions>
  readonly put: ShortForm<WriteOptions>
  readonly patch: ShortForm<WriteOptions>
  readonly delete: ShortForm<WriteOptions>
  /** The whole response: status, headers, links and body. */
  readonly request: RequestForm
  /** One page after the other by GET, as far as they are read. */
  pages<T = unknown>(
    route: string,
    params: Params,
    options: PageOptions,
  ): AsyncGenerator<UpstreamResponse<T>, void, void>
  /** The items of the pages. */
  items<T = unknown>(
    route: string,
    params: Params,
    options: ItemOptions,
  ): AsyncGenerator<T, void, void>
}

/** The upstream API of a server, and the named ones beside it, such as `upstream.github.get(…)`. */
export type Upstreams<Names extends string = never> = Upstream & {
  readonly [name in Names]: Upstream
}
