/** Deadlines of what runs: one sweep for all of them, so that nothing needs a timer of its own. */

/** A deadline is met this much late at most, in milliseconds. */
const SWEEP_MS = 50

let first: Deadline | undefined
let sweeping: NodeJS.Timeout | undefined

/** Is due once, `afterMs` milliseconds from now and up to `SWEEP_MS` later. */
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

  /** Withdraws it. Nothing happens where it is over. */
  clear(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#next !== undefined) this.#next.#previous = this.#previous
    if (this.#previous === undefined) first = this.#next
    else this.#previous.#next = this.#next
  }

  /** After a busy spell what is waited for may be in a socket: those are read before immediates. */
  static #sweepLater(): void {
    setImmediate(Deadline.#sweep)
  }

  /** The timer ends once there is nothing to wait for: an idle process sleeps. */
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
