/** Writes the answer of a plain call: one head with all headers, one text. */

import { toWellFormedJson } from '../well-formed.ts'
import type { Call } from './call.ts'
import type { CallLines } from './lines.ts'

/** Whether the answer goes to a page, which needs headers to read it (Fetch Standard, "CORS protocol"). */
export function isForPage(call: Call): boolean {
  return call.incoming.headers.origin !== undefined
}

/** Headers that were set before, such as those of rate limits, stay. */
export function writeAnswer(call: Call, message: object, lines: CallLines): void {
  const { outgoing, requestId } = call
  // A string, which Node sends with the headers in one piece, as it does not do with bytes.
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
