/** `Expect: 100-continue`: a body is asked for once somebody wants to read it. */

import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Sends `100 Continue` when a handler begins to read the body. A request that is refused by its
 * headers, such as with 401, then costs its client no body (RFC 9110, 10.1.1).
 */
export function continueOnRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read
  request._read = (size) => {
    request._read = read
    // Node reads what nobody has read when the response is over.
    if (!response.headersSent) response.writeContinue()
    read.call(request, size)
  }
}
