/** Where the messages of one exchange are written; each 2025-era transport has its own sink. */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'

export interface ResponseSink {
  /** Writes a message that is related to the request and precedes the response. */
  notify(message: JSONRPCMessage): void
  respond(message: JSONRPCMessage): void
  /** Closes the client's stream early. Undefined if the client would not resume it. */
  readonly closeStream?: (() => void) | undefined
  /** Ends without a response: the client cancelled. */
  discard(): void
}
