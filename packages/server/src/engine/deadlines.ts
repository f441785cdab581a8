/** Deadlines of what runs: one sweep for all of them, so that a call needs no timer of its own. */

/** A deadline is met this much late at most, in milliseconds. */
const SWEEP_MS = 50

let first: Deadline | undefined
let sweeping: NodeJS.Timeout | undefined

/** Calls `onDue` once, `afterMs` milliseconds from now and up to `SWEEP_MS` later. */
export class Deadline {
  readonly #at: number
  readonly #onDue: () => void
  #previous: Deadline | undefined
  #next: Deadline | undefined
  #isOpen = true

  constructor(afterMs: number, onDue: () => void) {
    this.#at = performance.now() + afterMs
    this.#onDue = onDue
    this.#next = first
    if (first !== undefined) first.#previous = this
    first = this
    sweeping ??= setInterval(Deadline.#sweep, SWEEP_MS)
  }

  /** Withdraws it. Nothing happens where it is over. */
  clear(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#next !== undefined) this.#next.#previous = this.#previous
    if (this.#previous === undefined) first = this.#next
    else this.#previous.#next = this.#next
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
      each.#onDue()
    }
    if (first !== undefined) return
    clearInterval(sweeping)
    sweeping = undefined
  }
}
