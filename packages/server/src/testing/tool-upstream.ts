/** An upstream API for tests of tools: answers by method and route, and keeps what it was asked. */

import type { Params } from '../upstream/route.ts'
import type { ReadOptions, Upstream, WriteOptions } from '../upstream/upstream.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'

export interface UpstreamRequest {
  /** Such as `GET /accounts/{id}`. */
  readonly route: string
  readonly params: Params
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly idempotencyKey?: string
}

/** What to answer; an Error is thrown, and a function is asked, with the call's signal. */
export type UpstreamAnswer =
  | Error
  | ((request: UpstreamRequest, signal: AbortSignal | undefined) => unknown)
  | object
  | string
  | number
  | null

/** By method and route, as the tool writes it: `GET /accounts/{id}`. */
export type UpstreamAnswers = Readonly<Record<string, UpstreamAnswer>>

export function createUpstreamAnswers(answers: UpstreamAnswers) {
  const requests: UpstreamRequest[] = []
  const unanswered: string[] = []

  async function answer(route: string, params: Params, options: WriteOptions): Promise<unknown> {
    const { signal, ...sent } = options
    if (signal?.aborted) throw new UpstreamError('upstream_cancelled')
    const request = { route, params, ...sent }
    requests.push(request)
    if (!Object.hasOwn(answers, route)) {
      unanswered.push(route)
      throw new UpstreamError('upstream_not_found')
    }
    const found = answers[route]
    const value = typeof found === 'function' ? await found(request, signal) : found
    if (value instanceof Error) throw value
    return value
  }

  /** One call's view; `onAnswer` sees every answer before the tool, as in the server. */
  function forCall(onAnswer: (answer: unknown) => void): Upstream {
    const method =
      (name: string) =>
      async <T>(route: string, params: Params = {}, options: ReadOptions = {}): Promise<T> => {
        const value = await answer(`${name} ${route}`, params, options as WriteOptions)
        onAnswer(value)
        return value as T
      }
    return {
      get: method('GET'),
      post: method('POST'),
      put: method('PUT'),
      patch: method('PATCH'),
      delete: method('DELETE'),
    }
  }

  function refuseUnanswered(): void {
    if (unanswered.length === 0) return
    throw new Error(`The test has no upstream answer for: ${unanswered.join(', ')}`)
  }

  return { requests, answer, forCall, refuseUnanswered }
}
