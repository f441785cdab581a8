/** A fake upstream API for tests of tools: answers by method and route, and records requests. */

import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Exchange } from '../upstream/api-attempt.ts'
import { createApiCall } from '../upstream/api-call.ts'
import { type Params, parseBaseUrl } from '../upstream/route.ts'
import type { Upstream, WriteOptions } from '../upstream/upstream.ts'
import { errorForStatus, UpstreamError } from '../upstream/upstream-error.ts'
import { createUpstreamMethods } from '../upstream/upstream-methods.ts'

export interface UpstreamRequest {
  /** The name of the upstream; absent for the first one. */
  readonly upstream?: string
  /** Such as `GET /accounts/{id}`. */
  readonly route: string
  readonly params: Params
  /** The body as the tool passed it, such as `FormData`. */
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly idempotencyKey?: string
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
}

/**
 * The answer: JSON, or a `Response` with its status and headers. An Error is thrown; a function is
 * called with the request and the call's signal.
 */
export type UpstreamAnswer =
  | Error
  | Response
  | ((request: UpstreamRequest, signal: AbortSignal | undefined) => unknown)
  | object
  | string
  | number
  | null

/**
 * By method and route, as in the tool: `GET /accounts/{id}`. Answers of an additional upstream are
 * nested under its name: `github: { 'GET /user': … }`.
 */
export type UpstreamAnswers = Readonly<Record<string, UpstreamAnswer>>

/** The names of additional upstreams in the answers: only routes contain a space. */
export function upstreamNames(answers: UpstreamAnswers = {}): readonly string[] {
  return Object.keys(answers).filter((key) => /^[a-z][a-z\d-]*$/.test(key))
}

/** The upstreams of one test, with one shared record of requests. */
export function createFakeUpstreams(answers: UpstreamAnswers = {}) {
  const requests: UpstreamRequest[] = []
  const first = createUpstreamAnswers(answers, { requests })
  const named = upstreamNames(answers).map((upstream) => {
    const own = answers[upstream] as UpstreamAnswers
    return [upstream, createUpstreamAnswers(own, { requests, upstream })] as const
  })
  return {
    requests,
    forCall: (...call: Parameters<typeof first.forCall>): Upstream =>
      Object.assign(
        first.forCall(...call),
        Object.fromEntries(named.map(([name, upstream]) => [name, upstream.forCall(...call)])),
      ),
    refuseUnanswered() {
      for (const upstream of [first, ...named.map(([, each]) => each)]) upstream.refuseUnanswered()
    },
  }
}

/** Links in answers are relative to it, or below it. */
const BASE = parseBaseUrl('https://upstream.test')

interface Kept {
  readonly requests?: UpstreamRequest[]
  /** The name of the upstream; absent for the first one. */
  readonly upstream?: string
}

export function createUpstreamAnswers(
  answers: UpstreamAnswers,
  { requests = [], upstream }: Kept = {},
) {
  const { answer, refuseUnanswered } = createAnswer(answers, { requests, upstream })

  /**
   * The API client without the network: validates requests and decodes answers as in the server.
   */
  const exchange: Exchange = async ({ method, route, params, options }, _headers, signal) => {
    const asked = answer(`${method} ${route}`, params, options, options.signal ?? signal)
    const value = await asked.catch(refusalOf)
    const response = responseOf(value, options)
    const body = response.body as ReadableStream | null
    return {
      statusCode: response.status,
      headers: Object.fromEntries(response.headers),
      body: body === null ? Readable.from([]) : Readable.fromWeb(body),
    }
  }
  const call = createApiCall(CLIENT, {
    exchange,
    now: Date.now,
    random: Math.random,
    sleep: async () => undefined,
  })

  /** The client for one call; `onAnswer` sees every answer before the tool, as in the server. */
  function forCall(
    onAnswer: (answer: unknown) => void,
    limit?: { readonly signal: AbortSignal },
  ): Upstream {
    const scope = { onAnswer, limit }
    return createUpstreamMethods(
      (method, route, params, options) =>
        call({ method, route, params, options, tokens: NO_TOKEN, scope }),
      BASE,
    )
  }

  return { requests, answer, forCall, refuseUnanswered }
}

/** Answers requests, and records those that no answer fits. */
function createAnswer(
  answers: UpstreamAnswers,
  {
    requests,
    upstream,
  }: { readonly requests: UpstreamRequest[]; readonly upstream: string | undefined },
) {
  const unanswered: string[] = []

  async function answer(
    route: string,
    params: Params,
    options: WriteOptions,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (signal?.aborted) throw new UpstreamError('upstream_cancelled')
    const named = upstream === undefined ? {} : { upstream }
    const request = { ...named, route, params, ...sentOf(options) }
    requests.push(request)
    if (!Object.hasOwn(answers, route)) {
      unanswered.push(route)
      throw new UpstreamError('upstream_not_found')
    }
    const found = answers[route]
    const value = typeof found === 'function' ? await found(request, signal) : found
    if (value instanceof Error) throw value
    return value instanceof Response ? value.clone() : value
  }

  function refuseUnanswered(): void {
    if (unanswered.length === 0) return
    throw new Error(`The test has no upstream answer for: ${unanswered.join(', ')}`)
  }

  return { answer, refuseUnanswered }
}

/** Converts an error with a status to a response, which the tool can handle. */
function refusalOf(error: unknown): Response {
  if (!(error instanceof UpstreamError)) throw error
  const { code, status = 0, retryAfterSeconds } = error
  if (status < 400 || code !== errorForStatus(status).code) throw error
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` }
  return new Response(null, { status, headers })
}

const NO_TOKEN = { accessToken: async () => undefined }

const CLIENT = {
  base: BASE,
  apiKey: undefined,
  apiKeyHeader: 'x-api-key',
  tokenHeader: 'authorization',
  tokenValue: (token: string) => `Bearer ${token}`,
  timeoutMs: 60_000,
  maxBytes: 1024 * 1024,
  userAgent: 'test',
  // No retries, so that a test sees each request once.
  maxRetries: 0,
}

/** The options that are part of the request. */
function sentOf({
  body,
  contentType,
  headers,
  idempotencyKey,
  ifMatch,
  ifNoneMatch,
}: WriteOptions): Omit<UpstreamRequest, 'route' | 'params' | 'upstream'> {
  return {
    ...(body !== undefined && { body }),
    ...(contentType !== undefined && { contentType }),
    ...(headers !== undefined && { headers }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
  }
}

/** The answer as the API sends it: JSON, unless the tool requests another format. */
function responseOf(value: unknown, { as = 'json' }: WriteOptions): Response {
  if (value instanceof Response) return value
  if (value === undefined) return new Response(null, { status: 204 })
  if (value instanceof Uint8Array) return new Response(new Uint8Array(value))
  return as !== 'json' && typeof value === 'string' ? new Response(value) : Response.json(value)
}
