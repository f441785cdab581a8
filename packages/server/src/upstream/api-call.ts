/** One call of the upstream API: attempts, retries, one token refresh, one deadline. */

import {
  type ApiCallDeps,
  type ApiCallOptions,
  type ApiRequest,
  createAttempt,
  type PreparedRequest,
} from './api-attempt.ts'
import { encodeBody, requestHeaders } from './api-request.ts'
import { type Deadline, startDeadline } from './request-deadline.ts'
import { backoffMs, isRepeatable, isTransient, MAX_RETRIES } from './retry.ts'
import { buildUrl } from './route.ts'
import type { UpstreamResponse } from './upstream.ts'
import { UpstreamError } from './upstream-error.ts'

/** Creates the function behind every method of `Upstream`. */
export function createApiCall(options: ApiCallOptions, deps: ApiCallDeps) {
  const attempt = createAttempt(options, deps)
  return async (asked: ApiRequest): Promise<UpstreamResponse> => {
    const call = await prepare(options, asked)
    const { signal } = asked.options
    const deadline = startDeadline(call.timeoutMs, deps.now, signal, asked.scope.limit?.signal)
    let isStream = false
    try {
      deadline.signal.throwIfAborted()
      const send = createSend(attempt, call, deadline)
      const response = await withRetries(call, deadline, send, options, deps)
      isStream = response.body instanceof ReadableStream
      return response
    } catch (error) {
      if (isRefused(error)) await asked.tokens.refused?.(error.status)
      throw deadline.error() ?? error
    } finally {
      // A stream stops the deadline when it ends.
      if (!isStream) deadline.stop()
    }
  }
}

/** Creates the function that makes an attempt, and repeats it once with a fresh token. */
function createSend(
  attempt: ReturnType<typeof createAttempt>,
  call: PreparedRequest,
  deadline: Deadline,
) {
  const { tokens } = call
  const ask = (forceRefresh: boolean) =>
    deadline.race(
      tokens.accessToken({ ...(forceRefresh && { forceRefresh }), signal: deadline.signal }),
    )
  let token: Promise<string | undefined> | undefined
  let refreshed = false
  return async () => {
    token ??= ask(false)
    const current = await token
    try {
      return await attempt(call, current, deadline)
    } catch (error) {
      if (refreshed || current === undefined || !isUnauthorized(error)) throw error
      // One refresh per call: a fresh token that is rejected would be rejected again.
      refreshed = true
      token = ask(true)
      const fresh = await token
      if (fresh === undefined) throw error
      return attempt(call, fresh, deadline)
    }
  }
}

/** Repeats a repeatable call after transient errors, with back-off, within its deadline. */
async function withRetries<T>(
  call: PreparedRequest,
  deadline: Deadline,
  send: () => Promise<T>,
  { maxRetries = MAX_RETRIES }: Pick<ApiCallOptions, 'maxRetries'>,
  { random, sleep }: Pick<ApiCallDeps, 'random' | 'sleep'>,
): Promise<T> {
  const isSafe = isRepeatable(call.method, call.options.idempotencyKey)
  for (let retry = 0; ; retry++) {
    try {
      return await send()
    } catch (error) {
      if (retry >= maxRetries || !isSafe || !isTransient(error)) throw error
      const waitMs = backoffMs(error, retry, random)
      // `Retry-After` exceeds the remaining time: fails at once.
      if (waitMs >= deadline.remainingMs()) throw error
      await deadline.race(sleep(waitMs, deadline.signal))
    }
  }
}

async function prepare(options: ApiCallOptions, asked: ApiRequest): Promise<PreparedRequest> {
  const { content, type } = await encodeBody(asked.options)
  return {
    ...asked,
    url: buildUrl(options.base, asked.route, asked.params),
    headers: requestHeaders(options, asked.options, type),
    content,
    timeoutMs: asked.options.timeoutMs ?? options.timeoutMs,
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === 'upstream_unauthorized'
}

function isRefused(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && (error.status === 401 || error.status === 403)
}
