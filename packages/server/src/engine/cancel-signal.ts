/** What cancels a call: the part of an `AbortSignal` that the engine needs. */

/** As `EventTarget` takes it: an object instead of a closure for each call. */
export interface CancelListener {
  handleEvent(): void
}

export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: CancelListener): void
  removeEventListener(type: 'abort', listener: CancelListener): void
}
