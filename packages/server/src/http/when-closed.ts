/** Tells when an answer is over: all of it was sent, or its client is gone. */

import type { OutgoingMessage } from 'node:http'

/** Listeners that come too late are called at once. */
export function whenClosed(outgoing: OutgoingMessage): (listener: () => void) => void {
  // One of Node's listeners for all of ours: a call has three.
  let listeners: (() => void)[] | undefined
  return (listener) => {
    if (outgoing.destroyed) {
      listener()
    } else if (listeners === undefined) {
      const all = [listener]
      listeners = all
      outgoing.once('close', () => {
        for (const each of all) each()
      })
    } else {
      listeners.push(listener)
    }
  }
}
