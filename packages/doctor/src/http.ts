/**
 * HTTP requests of an independent client: each on its own TCP connection, so that a load balancer
 * distributes them, with any `Host`, without following redirects, and always with a timeout.
 */

import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { Readable } from 'node:stream'

const TIMEOUT_MS = 15_000

/** Exceeds any response or stream of this server. */
const MOST_MB = 4

/** Stops reading a response that would exhaust memory. */
export class AnswerTooLong extends Error {
  override message = `an answer is longer than ${MOST_MB} MB`
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * `fetch` without a connection pool and without redirects. Rejects as Node's sockets do, and for
 * invalid HTTP responses; a body above the limit fails with AnswerTooLong.
 */
export async function freshFetch(
  to: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const request = new Request(to, { ...init, signal: null })
  const url = new URL(request.url)
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest
  // The `Host` header may be a test value; TLS uses the host of the URL.
  const headers = Object.fromEntries(new Headers(init.headers ?? request.headers))
  const type = request.headers.get('content-type')
  if (type !== null) headers['content-type'] ??= type
  const { signal } = init
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const options = { method: request.method, headers, agent: false, servername: nameOf(url) }
    const sent = send(url, { ...options, ...(signal && { signal }) }, (message) => {
      // Errors thrown in this callback would be uncaught.
      try {
        resolve(asResponse(message))
      } catch (error) {
        message.destroy()
        reject(error)
      }
    })
    sent.on('error', (error) => reject(signal?.aborted ? signal.reason : error))
    request.arrayBuffer().then((body) => sent.end(Buffer.from(body)), reject)
  })
}

/** RFC 6066, 3: SNI excludes IP addresses. */
function nameOf({ hostname }: URL): string {
  return /^[\d.]+$|^\[/.test(hostname) ? '' : hostname
}

const WITHOUT_BODY = new Set([204, 205, 304])

function asResponse(message: IncomingMessage): Response {
  // Prevents an uncaught error if the connection breaks while nothing reads.
  message.on('error', () => undefined)
  const { statusCode: status = 500, headersDistinct } = message
  if (status < 200 || status > 599) {
    throw new Error(`no answer has the status ${status}`)
  }
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  const body = WITHOUT_BODY.has(status) ? null : bounded(message)
  if (body === null) message.resume()
  return new Response(body, { status, headers })
}

/** The body, up to the limit. */
function bounded(message: IncomingMessage): ReadableStream {
  let left = MOST_MB * 1_000_000
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      left -= chunk.length
      if (left < 0) throw new AnswerTooLong()
      controller.enqueue(chunk)
    },
  })
  return (Readable.toWeb(message) as ReadableStream<Uint8Array>).pipeThrough(bound)
}

/** `freshFetch` with a timeout, for the official clients and for the browser. */
export function boundedFetch(to: string | URL | Request, init: RequestInit = {}) {
  const limits = [AbortSignal.timeout(TIMEOUT_MS), ...(init.signal ? [init.signal] : [])]
  return freshFetch(to, { ...init, signal: AbortSignal.any(limits) })
}

/** Sends a request and reads the whole response. */
export async function ask(url: string | URL, init: RequestInit = {}): Promise<Answer> {
  const response = await boundedFetch(url, init)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** Sends JSON. */
export function postJson(
  url: string | URL,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const type = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  return ask(url, { method: 'POST', headers: { ...type, ...headers }, body: JSON.stringify(body) })
}

/** The body as an object; empty if it is not one. */
export function objectIn({ text }: Pick<Answer, 'text'>): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** The count of each status, as text: `200 (8), 404 (4)`. */
export function tally(statuses: readonly number[]): string {
  const counts = new Map<number, number>()
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].map(([status, count]) => `${status} (${count})`).join(', ')
}

/** Limits concurrency, so that it does not look like an attack. */
export async function manyTimes<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  const AT_ONCE = 6
  while (results.length < times) {
    const count = Math.min(AT_ONCE, times - results.length)
    results.push(...(await Promise.all(Array.from({ length: count }, work))))
  }
  return results
}

/** Rejects after a timeout. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([work, tooLong])
  } finally {
    clearTimeout(timer)
  }
}
