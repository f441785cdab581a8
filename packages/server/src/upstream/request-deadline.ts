/** Request timeout: the deadline of a whole call, including retries and token refresh. */

import { UpstreamError } from './upstream-error.ts'

export interface Deadline {
  /** Aborts on timeout or when the caller cancels. */
  readonly signal: AbortSignal
  remainingMs(): number
  /** The timeout or cancellation error; undefined before either. */
  error(): UpstreamError | undefined
  /** Settles like the promise, but rejects immediately on timeout or cancellation. */
  race<T>(promise: Promise<T>): Promise<T>
  /** Clears the timer and the abort listeners; required at the end of every call. */
  stop(): void
}

/** Starts a deadline in `timeoutMs` milliseconds; ends earlier if one of the signals aborts. */
export function startDeadline(
  timeoutMs: number,
  now: () => number,
  ...signals: readonly (AbortSignal | undefined)[]
): Deadline {
  const endsAt = now() + timeoutMs
  const controller = new AbortController()
  let ended: UpstreamError | undefined

  function end(error: UpstreamError): void {
    ended ??= error
    controller.abort(ended)
  }
  const cancel = () => end(new UpstreamError('upstream_cancelled'))
  const timer = setTimeout(() => end(new UpstreamError('upstream_timeout')), timeoutMs)
  // Not AbortSignal.any: on a long-lived signal it leaks memory for every call.
  const given = new Set(signals.filter((each) => each !== undefined))
  for (const signal of given) {
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
  }

  return {
    signal: controller.signal,
    remainingMs: () => endsAt - now(),
    error: () => ended,
    race: (promise) => raceAbort(promise, controller.signal),
    stop() {
      clearTimeout(timer)
      for (const signal of given) signal.removeEventListener('abort', cancel)
    },
  }
}

function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
