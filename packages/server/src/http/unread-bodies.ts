/** Responses to requests whose body has not arrived: they close the connection without a reset. */

import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What a client may still send after the response before it is cut off. */
const LINGER_BYTES = 16 * 1024 * 1024
const LINGER_MS = 2000

/**
 * A response that says `Connection: close` if it begins before the request is complete: nobody reads
 * the rest of the body, and none of it may be taken for the next request.
 */
export class EarlyResponse extends ServerResponse {
  // Node calls it as well, where a handler does not.
  override writeHead(...args: unknown[]): this {
    const { req } = this
    if (!req.complete && hasBody(req)) {
      this.shouldKeepAlive = false
      lingerOnClose(req.socket)
    }
    return super.writeHead(...(args as Parameters<ServerResponse['writeHead']>)) as this
  }
}

/** RFC 9112, 6.3: a request without either header has no body. */
function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/**
 * Makes a connection close in stages (RFC 9112, 9.6): it stops sending, and discards what still comes
 * in. A client that is still sending would otherwise get a reset, which can destroy the response
 * before it is read.
 */
function lingerOnClose(socket: Socket): void {
  let lingers = false
  // Node calls it after the last response of a connection.
  socket.destroySoon = () => {
    if (lingers) return
    lingers = true
    socket.end()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
    // Node resumes a socket that waits for a reader of the body in this turn.
    setImmediate(discard, socket)
  }
}

function discard(socket: Socket): void {
  const most = socket.bytesRead + LINGER_BYTES
  // Past the parser, which would run requests that follow the body.
  socket.removeAllListeners('data')
  socket.on('data', () => {
    if (socket.bytesRead > most) socket.destroy()
  })
}
