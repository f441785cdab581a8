/** Bounds a tool's run: by the caller's cancellation, by its time, and by its own end. */

export interface TimeLimit {
  /** Aborted on cancellation, when the time is over, and once the run has ended. */
  readonly signal: AbortSignal
  /** Rejects when the signal is aborted. */
  readonly reached: Promise<never>
  timedOut(): boolean
  /** Call when the run is over: whatever it left running is told to stop. */
  end(): void
}

/** Starts the clock. A plain timer, because one of `AbortSignal.timeout` lives on after a fast call. */
export function startTimeLimit(cancelled: AbortSignal, seconds: number): TimeLimit {
  const controller = new AbortController()
  let timedOut = false
  const cancel = () => controller.abort(cancelled.reason)
  const timer = setTimeout(() => {
    timedOut = true
    controller.abort()
  }, seconds * 1000)
  const reached = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason))
  })
  reached.catch(() => undefined)
  cancelled.addEventListener('abort', cancel, { once: true })
  if (cancelled.aborted) cancel()
  return {
    signal: controller.signal,
    reached,
    timedOut: () => timedOut,
    end() {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', cancel)
      controller.abort()
    },
  }
}
