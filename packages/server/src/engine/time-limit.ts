/** Bounds a tool's run: by the caller's cancellation, by its time, and by its own end. */

import type { CancelSignal } from './cancel-signal.ts'

export interface TimeLimit {
  /**
   * Aborted on cancellation, when the time is over, and once the run has ended. Made when somebody
   * asks for it: it costs 5 µs, which a tool that waits for nothing need not pay.
   */
  signal(): AbortSignal
  /** Whether the signal is aborted, or would be. */
  isOver(): boolean
  /** Rejects on cancellation and when the time is over. */
  readonly reached: Promise<never>
  timedOut(): boolean
  /** Call when the run is over: whatever it left running is told to stop. */
  end(): void
}

/** One for all calls: an exception of its own, with its stack, costs 10 µs. */
const RUN_ENDED = new DOMException('The run has ended', 'AbortError')

/**
 * Starts the clock. A plain timer, because one of `AbortSignal.timeout` lives on after a fast call.
 * @throws the reason of a call that is cancelled already
 */
export function startTimeLimit(cancelled: CancelSignal, seconds: number): TimeLimit {
  if (cancelled.aborted) throw cancelled.reason
  let controller: AbortController | undefined
  let over: { readonly reason: unknown } | undefined
  let timedOut = false
  let reach: (reason: unknown) => void = () => undefined
  const reached = new Promise<never>((_resolve, reject) => {
    reach = reject
  })
  reached.catch(() => undefined)
  function finish(reason: unknown): void {
    over ??= { reason }
    controller?.abort(reason)
  }
  function stop(reason: unknown): void {
    finish(reason)
    reach(reason)
  }
  const cancel = () => stop(cancelled.reason)
  const timer = setTimeout(() => {
    timedOut = true
    stop(new DOMException('The time is over', 'AbortError'))
  }, seconds * 1000)
  cancelled.addEventListener('abort', cancel)
  return {
    signal() {
      controller ??= new AbortController()
      if (over !== undefined) controller.abort(over.reason)
      return controller.signal
    },
    isOver: () => over !== undefined,
    reached,
    timedOut: () => timedOut,
    end() {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', cancel)
      finish(RUN_ENDED)
    },
  }
}
