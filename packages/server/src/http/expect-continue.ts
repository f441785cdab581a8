/** `Expect: 100-continue`: requests the body only when a handler reads it. */

import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Sends `100 Continue` when a handler begins to read the body. The client of a request refused by
 * its headers, such as with 401, then never uploads the body (RFC 9110, 10.1.1).
 */
export function continueOnRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read
  request._read = (size) => {
    request._read = read
    // Node drains an unread body after the response has ended.
    if (!response.headersSent) response.writeContinue()
    read.call(request, size)
  }
}
