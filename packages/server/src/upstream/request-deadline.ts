/** One time limit for a whole call, retries and token refresh included. */

import { UpstreamError } from './upstream-error.ts'

export interface Deadline {
  /** Aborts when time is up or the caller gives up. */
  readonly signal: AbortSignal
  remainingMs(): number
  /** The error for the end that came: time-out or cancellation; undefined while time is left. */
  error(): UpstreamError | undefined
  /** Settles like the promise, but rejects at once when the deadline ends the call. */
  race<T>(promise: Promise<T>): Promise<T>
  /** Frees the timer and the caller's signal; needed at the end of every call. */
  stop(): void
}

/** Starts the clock: `timeoutMs` milliseconds from now, or sooner when one of the signals aborts. */
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
  // Not AbortSignal.any: on a signal that outlives many calls it keeps every one of them alive.
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
