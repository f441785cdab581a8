/** Keeps the order of commands while an earlier one for the same key or slot is retried. */

/** A command that waits for its turn. */
interface Queued {
  /** Increases in the order of the calls. */
  readonly number: number
  readonly send: () => void
}

export class RetryQueues {
  readonly #queues = new Map<number | string, Queued[]>()

  isEmpty(): boolean {
    return this.#queues.size === 0
  }

  /** Whether commands of this key or slot must wait. */
  has(name: number | string): boolean {
    return this.#queues.has(name)
  }

  open(name: number | string): void {
    this.#queues.set(name, [])
  }

  /** The reply to a command that is sent when the queue is released. */
  wait(name: number | string, number: number, send: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve) => {
      this.#queues.get(name)?.push({ number, send: () => resolve(send()) })
    })
  }

  /** Sends what waits, in the order of the calls. */
  release(name: number | string): void {
    const queued = this.#queues.get(name) ?? []
    this.#queues.delete(name)
    for (const { send } of queued.sort((one, other) => one.number - other.number)) send()
  }
}
