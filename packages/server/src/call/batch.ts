/** Batches continuations: all calls that wait in one turn of the event loop resume in one `setImmediate`. */

let turn: Promise<void> | undefined

/**
 * Waits for the end of this turn. Under load the processor then does the same thing for many calls in a
 * row, which its caches are made for; a call that comes alone waits for an empty turn.
 */
export function nextTurn(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined
      resolve()
    })
  })
  return turn
}
