/** One attempt of an API call: sends the request, reads the response in the requested form. */

import type { Span, SpanOptions, Tracing } from '../telemetry/tracing.ts'
import type { HeaderOptions } from './api-request.ts'
import {
  type BodyOptions,
  type Response,
  readResponseBody,
  visibleHeaders,
} from './api-response.ts'
import { explainedError } from './explained-error.ts'
import { HiddenCredentials } from './hidden-credentials.ts'
import type { Deadline } from './request-deadline.ts'
import { streamResponseBody } from './response-stream.ts'
import type { Params } from './route.ts'
import type { Method, TokenSource, UpstreamResponse, WriteOptions } from './upstream.ts'
import { errorForTransport } from './upstream-error.ts'

export interface ApiCallOptions extends HeaderOptions {
  readonly base: URL
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Default 2. */
  readonly maxRetries?: number
  /** Formats the token as the value of its header. */
  tokenValue(token: string): string
}

/** Sends a request once. Rejects with UpstreamError without a complete response head. */
export type Exchange = (
  request: PreparedRequest,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<Response>

export interface ApiCallDeps {
  readonly exchange: Exchange
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
  random(): number
  /** Propagates the trace context to the API; undefined without tracing. */
  readonly tracing?: Tracing | undefined
}

/** The call on whose behalf requests are sent. */
export interface CallScope {
  /** Receives each response body before the tool does. */
  onAnswer?(body: unknown): void
  /** Aborts every request, and open response streams. */
  readonly limit?: { readonly signal: AbortSignal } | undefined
}

/** A tool's request, with the caller it is made for. */
export interface ApiRequest {
  readonly method: Method
  readonly route: string
  readonly params: Params
  readonly options: WriteOptions
  readonly tokens: TokenSource
  readonly scope: CallScope
}

export interface PreparedRequest extends ApiRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly content: string | Uint8Array | null
  readonly timeoutMs: number
}

/** Sends a prepared request once, with the caller's token. */
type Attempt = (
  request: PreparedRequest,
  token: string | undefined,
  deadline: Deadline,
) => Promise<UpstreamResponse>

export function createAttempt(options: ApiCallOptions, deps: ApiCallDeps): Attempt {
  async function attempt(
    call: PreparedRequest,
    token: string | undefined,
    deadline: Deadline,
    span?: Span,
  ): Promise<UpstreamResponse> {
    const value = token === undefined ? undefined : options.tokenValue(token)
    const authorization = value === undefined ? {} : { [options.tokenHeader]: value }
    const hidden = new HiddenCredentials([token, value, options.apiKey])
    const headers = { ...call.headers, ...authorization, ...deps.tracing?.headers() }
    const response = await deps.exchange(call, headers, deadline.signal)
    span?.set('http.response.status_code', response.statusCode)
    if (isAnswer(response.statusCode, call)) return read(call, response, hidden, deadline)
    const { explain } = call.options
    const onAnswer = (body: unknown) => call.scope.onAnswer?.(body)
    throw await explainedError(response, { hidden, deadline, now: deps.now, explain, onAnswer })
  }

  async function read(
    { method, url, options: asked, scope }: PreparedRequest,
    response: Response,
    hidden: HiddenCredentials,
    deadline: Deadline,
  ): Promise<UpstreamResponse> {
    const { as = 'json', maxBytes = options.maxBytes } = asked
    const reading: BodyOptions = { as, maxBytes, hidden }
    const reader = as === 'stream' ? streamResponseBody : readWhole
    const body = await reader(response, method, reading, deadline)
    if (as !== 'stream') scope.onAnswer?.(body)
    const headers = visibleHeaders(response, hidden)
    return { status: response.statusCode, headers, links: parseLinks(headers.link, url), body }
  }

  return (call, token, deadline) => {
    if (deps.tracing === undefined) return attempt(call, token, deadline)
    return deps.tracing.inChild(spanOf(call), (span) => attempt(call, token, deadline, span))
  }
}

/** One span per attempt (OpenTelemetry semantic conventions for HTTP client spans). */
function spanOf({ method, route, url }: PreparedRequest): SpanOptions {
  const attributes = {
    'http.request.method': method,
    'url.template': route,
    'server.address': url.hostname,
  }
  return { name: `${method} ${route}`, kind: 'client', attributes }
}

/** 304 is valid for conditional requests (RFC 9110, 15.4.5); 401 is left to the token source. */
function isAnswer(
  status: number,
  { headers, options: { statuses = [] } }: PreparedRequest,
): boolean {
  if (status >= 200 && status < 300) return true
  const isConditional = 'if-none-match' in headers || 'if-modified-since' in headers
  return (status === 304 && isConditional) || (status !== 401 && statuses.includes(status))
}

async function readWhole(response: Response, method: Method, reading: BodyOptions) {
  try {
    return await readResponseBody(response, method, reading)
  } catch (error) {
    throw errorForTransport(error)
  }
}

/** A target, then its parameters; quoted values may hold commas and semicolons. */
const LINK = /<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?)*)/g
const RELATION = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;"]*))/i

/** The first link of each relation wins; targets other than http(s) URLs are ignored. */
function parseLinks(header: string | undefined, from: URL): Record<string, string> {
  const links: Record<string, string> = Object.create(null)
  for (const [, target = '', parameters = ''] of header?.matchAll(LINK) ?? []) {
    const [, quoted, plain = ''] = RELATION.exec(parameters) ?? []
    const url = URL.canParse(target, from.href) ? new URL(target, from) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol)) continue
    for (const relation of (quoted ?? plain).toLowerCase().split(/\s+/)) {
      if (relation !== '') links[relation] ??= url.href
    }
  }
  return links
}
