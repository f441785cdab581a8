/** Bounds a tool's run: by the caller's cancellation, by its time, and by its own end. */

export interface TimeLimit {
  /** Aborted on cancellation, when the time is over, and once the run has ended. */
  readonly signal: AbortSignal
  /** Rejects on cancellation and when the time is over. */
  readonly reached: Promise<never>
  timedOut(): boolean
  /** Call when the run is over: whatever it left running is told to stop. */
  end(): void
}

/** One for all calls: an exception of its own, with its stack, costs 10 µs. */
const RUN_ENDED = new DOMException('The run has ended', 'AbortError')

/** Starts the clock. A plain timer, because one of `AbortSignal.timeout` lives on after a fast call. */
export function startTimeLimit(cancelled: AbortSignal, seconds: number): TimeLimit {
  const controller = new AbortController()
  let timedOut = false
  let reach: (reason: unknown) => void = () => undefined
  const reached = new Promise<never>((_resolve, reject) => {
    reach = reject
  })
  reached.catch(() => undefined)
  function stop(reason: unknown): void {
    controller.abort(reason)
    reach(reason)
  }
  const cancel = () => stop(cancelled.reason)
  const timer = setTimeout(() => {
    timedOut = true
    stop(new DOMException('The time is over', 'AbortError'))
  }, seconds * 1000)
  cancelled.addEventListener('abort', cancel, { once: true })
  if (cancelled.aborted) cancel()
  return {
    signal: controller.signal,
    reached,
    timedOut: () => timedOut,
    end() {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', cancel)
      controller.abort(RUN_ENDED)
    },
  }
}
