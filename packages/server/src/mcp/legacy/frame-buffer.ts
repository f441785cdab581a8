/** The body of an event stream: frames that its reader has not taken yet, with backpressure. */

/**
 * Backpressure limit: a write disconnects a client whose buffer exceeds 1 MiB already. One event may
 * be larger: results have a limit of their own. Replays wait for `drained` instead, or a client that
 * reconnects would be disconnected by the same events again.
 */
const MOST_BUFFERED_BYTES = 1024 * 1024

/** A stream without a slot may leave this many bytes unread: about what Node buffers for a socket. */
const MOST_UNHELD_BYTES = 16 * 1024

/** `disconnect` closes the connection; without one the stream fails. */
export class FrameBuffer {
  readonly body: ReadableStream<Uint8Array>
  readonly #encoder = new TextEncoder()
  readonly #closed: (() => void)[] = []
  readonly #drainWaiters: (() => void)[] = []
  readonly #disconnect: (() => void) | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  /** Bytes since the reader last waited for more: at most these are not sent. */
  #unsentBytes = 0

  constructor(disconnect: (() => void) | undefined) {
    this.#disconnect = disconnect
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (started) => {
          this.#controller = started
        },
        // Called when the reader has taken all frames and waits for more.
        pull: () => {
          this.#unsentBytes = 0
          this.#wake()
        },
        // A disconnect ends the stream, not the call: only a cancellation ends the call.
        cancel: () => this.#release(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
    )
  }

  get isOpen(): boolean {
    return this.#controller !== undefined
  }

  get bytes(): number {
    return -(this.#controller?.desiredSize ?? 0)
  }

  get isFull(): boolean {
    return this.bytes > MOST_BUFFERED_BYTES
  }

  enqueue(frame: string): void {
    if (this.isFull) {
      this.#discard()
      return
    }
    const bytes = this.#encoder.encode(frame)
    this.#unsentBytes += bytes.byteLength
    this.#controller?.enqueue(bytes)
  }

  async drained(): Promise<void> {
    if (this.isFull) await new Promise<void>((resolve) => void this.#drainWaiters.push(resolve))
  }

  end(): void {
    this.#controller?.close()
    this.#release()
  }

  /** Ends the stream, and disconnects a client that leaves more unread than a socket buffers. */
  endUnheld(): void {
    if (this.#unsentBytes > MOST_UNHELD_BYTES) this.#discard()
    else this.end()
  }

  onClose(listener: () => void): void {
    if (this.isOpen) this.#closed.push(listener)
    else listener()
  }

  /**
   * Discards the buffer, which `close` would keep; the client can resume for a replay. With a
   * connection its end cancels the stream: the HTTP library would write an error into the stream.
   */
  #discard(): void {
    if (!this.isOpen) return
    if (this.#disconnect !== undefined) this.#disconnect()
    else this.#controller?.error(new Error('The client reads too slowly.'))
    this.#release()
  }

  #release(): void {
    this.#controller = undefined
    this.#wake()
    for (const listener of this.#closed.splice(0)) listener()
  }

  #wake(): void {
    for (const wake of this.#drainWaiters.splice(0)) wake()
  }
}
