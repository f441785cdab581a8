/** Bounds a tool's run: by the caller's cancellation, by its time, and by its own end. */

import { Deadline } from '../deadlines.ts'
import type { CancelSignal } from './cancel-signal.ts'

/** One for all calls: an exception of its own has a stack, which is dear. */
const RUN_ENDED = new DOMException('The run has ended', 'AbortError')

export class TimeLimit extends Deadline {
  readonly #cancelled: CancelSignal
  #controller: AbortController | undefined
  #over: { readonly reason: unknown } | undefined
  #isTimedOut = false
  #fail: ((reason: unknown) => void) | undefined

  /**
   * Starts the clock.
   * @throws the reason of a call that is cancelled already
   */
  constructor(cancelled: CancelSignal, seconds: number) {
    if (cancelled.aborted) throw cancelled.reason
    super(seconds * 1000)
    this.#cancelled = cancelled
    cancelled.addEventListener('abort', this)
  }

  /**
   * Aborted on cancellation, when the time is over, and once the run has ended. Made when somebody
   * asks for it: most tools wait for nothing.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#over !== undefined) this.#controller.abort(this.#over.reason)
    return this.#controller.signal
  }

  /** Whether the signal is aborted, or would be. */
  get isOver(): boolean {
    return this.#over !== undefined
  }

  get isTimedOut(): boolean {
    return this.#isTimedOut
  }

  /** Settles as the run does, or rejects on cancellation and when the time is over. */
  bound<T>(running: T | Promise<T>): T | Promise<T> {
    if (!(running instanceof Promise)) return running
    return new Promise((resolve, reject) => {
      this.#fail = reject
      if (this.#over !== undefined) reject(this.#over.reason)
      running.then(resolve, reject)
    })
  }

  /** Call when the run is over: whatever it left running is aborted. */
  end(): void {
    this.clear()
    this.#cancelled.removeEventListener('abort', this)
    this.#finish(RUN_ENDED)
  }

  /** The call was cancelled. */
  handleEvent(): void {
    this.#stop(this.#cancelled.reason)
  }

  protected override due(): void {
    this.#isTimedOut = true
    this.#stop(new DOMException('The time is over', 'AbortError'))
  }

  #finish(reason: unknown): void {
    this.#over ??= { reason }
    this.#controller?.abort(reason)
  }

  #stop(reason: unknown): void {
    this.#finish(reason)
    this.#fail?.(reason)
  }
}
