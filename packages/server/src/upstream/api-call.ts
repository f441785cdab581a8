/** One call of the upstream API: attempts, retries, one token refresh, one deadline. */

import { type Dispatcher, request } from 'undici'
import type { Span, SpanOptions, Tracing } from '../telemetry/tracing.ts'
import { type Deadline, startDeadline } from './deadline.ts'
import { type HeaderOptions, requestHeaders, tokenHeaders } from './request-headers.ts'
import { discardBody, readResponseBody } from './response-body.ts'
import { backoffMs, isRepeatable, isTransient, MAX_RETRIES, parseRetryAfter } from './retry.ts'
import { buildUrl, type Params } from './route.ts'
import type { TokenSource, WriteOptions } from './upstream.ts'
import { errorForStatus, errorForTransport, UpstreamError } from './upstream-error.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface ApiCallOptions extends HeaderOptions {
  readonly base: URL
  readonly timeoutMs: number
  readonly maxBytes: number
}

export interface ApiCallDeps {
  readonly dispatcher: Dispatcher
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
  random(): number
  /** The API is told of the trace, if there is one. */
  readonly tracing?: Tracing | undefined
}

export type ApiCall = (
  method: Method,
  route: string,
  params: Params,
  write: WriteOptions,
  tokens: TokenSource,
) => Promise<unknown>

interface Prepared {
  readonly method: Method
  /** As the tool wrote it, with names in place of values. */
  readonly route: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly repeatable: boolean
}

/** Creates the function behind every method of `Upstream`. */
export function createApiCall(options: ApiCallOptions, deps: ApiCallDeps): ApiCall {
  return async (method, route, params, write, tokens) => {
    const call = prepare(options, method, route, params, write)
    const deadline = startDeadline(options.timeoutMs, deps.now, write.signal)
    try {
      deadline.signal.throwIfAborted()
      let token = await deadline.race(tokens.accessToken({ signal: deadline.signal }))
      let refreshed = false
      const send = async () => {
        try {
          return await traced(call, token, deadline)
        } catch (error) {
          if (refreshed || token === undefined || !isUnauthorized(error)) throw error
          // Once per call: a token that is refused when fresh will be refused again.
          refreshed = true
          const refresh = { forceRefresh: true, signal: deadline.signal }
          token = await deadline.race(tokens.accessToken(refresh))
          if (token === undefined) throw error
          return traced(call, token, deadline)
        }
      }
      return await withRetries(call, deadline, send)
    } catch (error) {
      throw deadline.error() ?? error
    } finally {
      deadline.stop()
    }
  }

  function traced(call: Prepared, token: string | undefined, deadline: Deadline) {
    if (deps.tracing === undefined) return attempt(call, token, deadline)
    return deps.tracing.inChild(spanOf(call), (span) => attempt(call, token, deadline, span))
  }

  async function attempt(
    call: Prepared,
    token: string | undefined,
    deadline: Deadline,
    span?: Span,
  ) {
    try {
      const response = await request(call.url, {
        method: call.method,
        headers: { ...call.headers, ...tokenHeaders(options, token), ...deps.tracing?.headers() },
        body: call.body,
        signal: deadline.signal,
        dispatcher: deps.dispatcher,
      })
      const { statusCode: status, headers } = response
      span?.set('http.response.status_code', status)
      if (status >= 200 && status < 300) return await readResponseBody(response, options.maxBytes)
      discardBody(response)
      throw errorForStatus(status, parseRetryAfter(headers['retry-after'], deps.now()))
    } catch (error) {
      throw deadline.error() ?? errorForTransport(error)
    }
  }

  async function withRetries<T>(call: Prepared, deadline: Deadline, send: () => Promise<T>) {
    for (let retry = 0; ; retry++) {
      try {
        return await send()
      } catch (error) {
        if (retry >= MAX_RETRIES || !call.repeatable || !isTransient(error)) throw error
        const waitMs = backoffMs(error, retry, deps.random)
        // The upstream asks for more time than the caller has: better to say so now.
        if (waitMs >= deadline.remainingMs()) throw error
        await deadline.race(deps.sleep(waitMs, deadline.signal))
      }
    }
  }
}

/** OpenTelemetry, semantic conventions for HTTP client spans; one for each attempt. */
function spanOf({ method, route, url }: Prepared): SpanOptions {
  const attributes = {
    'http.request.method': method,
    'url.template': route,
    'server.address': url.hostname,
  }
  return { name: `${method} ${route}`, kind: 'client', attributes }
}

function prepare(
  options: ApiCallOptions,
  method: Method,
  route: string,
  params: Params,
  write: WriteOptions,
): Prepared {
  return {
    method,
    route,
    url: buildUrl(options.base, route, params),
    headers: requestHeaders(options, write),
    body: write.body === undefined ? null : JSON.stringify(write.body),
    repeatable: isRepeatable(method, write.idempotencyKey),
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === 'upstream_unauthorized'
}
