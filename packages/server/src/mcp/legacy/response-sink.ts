/** Where the messages of one exchange go; the way out differs between the transports of the 2025 era. */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'

export interface ResponseSink {
  /** Something that belongs to the request and comes before its answer. */
  notify(message: JSONRPCMessage): void
  respond(message: JSONRPCMessage): void
  /** Ends what the client reads from for now. Undefined where it would not come back for the rest. */
  readonly closeStream?: (() => void) | undefined
  /** There will be no answer: the client cancelled. */
  discard(): void
}
