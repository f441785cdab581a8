/** Notifies listeners when a response closes: sent completely, or the client disconnected. */

import type { OutgoingMessage } from 'node:http'

/** Calls listeners added after the close immediately. */
export function whenClosed(outgoing: OutgoingMessage): (listener: () => void) => void {
  // Shares one Node listener: a call adds three.
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
