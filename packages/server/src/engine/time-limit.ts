/** The timeout of a run: aborts its signal on timeout, on cancellation, and at its end. */

import { Deadline } from '../deadlines.ts'

/** Shared by all calls: capturing a stack for each exception is expensive. */
const RUN_ENDED = new DOMException('The run has ended', 'AbortError')

export class TimeLimit extends Deadline {
  readonly #cancelled: CancelSignal
  #controller: AbortController | undefined
  #over: { readonly reason: unknown } | undefined
  #isTimedOut = false
  #fail: ((reason: unknown) => void) | undefined

  /**
   * Starts the timeout.
   * @throws the abort reason if the call is already cancelled
   */
  constructor(cancelled: CancelSignal, seconds: number) {
    if (cancelled.aborted) throw cancelled.reason
    super(seconds * 1000)
    this.#cancelled = cancelled
    cancelled.addEventListener('abort', this)
  }

  /**
   * Aborted on cancellation, on timeout, and once the run has ended. Created lazily: most tools do
   * not use it.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#over !== undefined) this.#controller.abort(this.#over.reason)
    return this.#controller.signal
  }

  /** Whether the signal is aborted, without creating it. */
  get isOver(): boolean {
    return this.#over !== undefined
  }

  get isTimedOut(): boolean {
    return this.#isTimedOut
  }

  /** Settles like the run, but rejects on cancellation and on timeout. */
  bound<T>(running: T | PromiseLike<T>): T | Promise<T> {
    if (!isThenable(running)) return running
    return new Promise((resolve, reject) => {
      this.#fail = reject
      if (this.#over !== undefined) reject(this.#over.reason)
      running.then(resolve, reject)
    })
  }

  /** Call at the end of the run: aborts its unfinished work. */
  end(): void {
    this.clear()
    this.#cancelled.removeEventListener('abort', this)
    this.#finish(RUN_ENDED)
  }

  /** Listener for cancellation. */
  handleEvent(): void {
    this.#stop(this.#cancelled.reason)
  }

  protected override due(): void {
    this.#isTimedOut = true
    this.#stop(new DOMException('The time limit has expired', 'AbortError'))
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

/** Not only a `Promise`: queries of Prisma, Drizzle, Mongoose and Knex are thenables. */
function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as Partial<PromiseLike<T>> | null | undefined)?.then === 'function'
}

/** An `EventListenerObject`, which avoids a closure per call. */
export interface CancelListener {
  handleEvent(): void
}

/** The subset of `AbortSignal` that the engine needs for the cancellation of a call. */
export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: CancelListener): void
  removeEventListener(type: 'abort', listener: CancelListener): void
}
