/** Cancellation of a call: the subset of `AbortSignal` that the engine needs. */

/** An `EventListenerObject`, which avoids a closure per call. */
export interface CancelListener {
  handleEvent(): void
}

export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: CancelListener): void
  removeEventListener(type: 'abort', listener: CancelListener): void
}
