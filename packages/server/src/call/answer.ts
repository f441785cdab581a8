/** Writes the response of a fast-path call: one `writeHead` with all headers, one string body. */

import { toWellFormedJson } from '../well-formed.ts'
import type { Call } from './fast-call.ts'
import type { CallLines } from './lines.ts'

/** Whether a web page sent the call and needs CORS headers (Fetch Standard, "CORS protocol"). */
export function isForPage(call: Call): boolean {
  return call.incoming.headers.origin !== undefined
}

/** Keeps headers that are set already, such as those of the rate limit. */
export function writeAnswer(call: Call, message: object, lines: CallLines): void {
  const { outgoing, requestId } = call
  // Node.js writes a string and the headers in one chunk; a Buffer would be a second write.
  const text = toWellFormedJson(message)
  outgoing.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-request-id': requestId,
  })
  outgoing.end(text)
  lines.request(call)
}
