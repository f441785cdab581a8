/** Timeouts: one periodic sweep checks all deadlines, which saves a timer per call. */

/** Sweep interval and so the maximum delay of a deadline, in milliseconds. */
const SWEEP_MS = 50

let first: Deadline | undefined
let sweeping: NodeJS.Timeout | undefined

/** Fires once, `afterMs` milliseconds from now or up to `SWEEP_MS` later. */
export abstract class Deadline {
  readonly #at: number
  #previous: Deadline | undefined
  #next: Deadline | undefined
  #isOpen = true

  constructor(afterMs: number) {
    this.#at = performance.now() + afterMs
    this.#next = first
    if (first !== undefined) first.#previous = this
    first = this
    sweeping ??= setInterval(Deadline.#sweepLater, SWEEP_MS)
  }

  protected abstract due(): void

  /** Cancels the deadline. Idempotent; without effect after it has fired. */
  clear(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#next !== undefined) this.#next.#previous = this.#previous
    if (this.#previous === undefined) first = this.#next
    else this.#previous.#next = this.#next
    // A closed one in the old generation would keep its neighbours alive until a full collection.
    this.#previous = undefined
    this.#next = undefined
  }

  /**
   * Sweeps in an immediate, after the event loop has read sockets: after a busy spell, the awaited
   * answer may already be in one.
   */
  static #sweepLater(): void {
    setImmediate(Deadline.#sweep)
  }

  /** Stops the interval when no deadline is left, so that an idle process does not wake up. */
  static #sweep(): void {
    const now = performance.now()
    const due: Deadline[] = []
    for (let each = first; each !== undefined; each = each.#next) {
      if (each.#at <= now) due.push(each)
    }
    for (const each of due) {
      if (!each.#isOpen) continue
      each.clear()
      each.due()
    }
    if (first !== undefined) return
    clearInterval(sweeping)
    sweeping = undefined
  }
}

/** A deadline that calls a function. */
export class Timer extends Deadline {
  readonly #onDue: () => void

  constructor(afterMs: number, onDue: () => void) {
    super(afterMs)
    this.#onDue = onDue
  }

  protected override due(): void {
    this.#onDue()
  }
}
