/** Tells when an answer is over: all of it was sent, or its client is gone. */

import type { OutgoingMessage } from 'node:http'

/** Listeners that come too late are called at once. */
export function whenClosed(outgoing: OutgoingMessage): (listener: () => void) => void {
  return (listener) => {
    if (outgoing.destroyed) listener()
    else outgoing.once('close', listener)
  }
}
