/** Lingering close: responses sent before the request body is read end without a TCP reset. */

import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Bytes and time that a client may still send after the response. */
const LINGER_BYTES = 16 * 1024 * 1024
const LINGER_MS = 2000

/**
 * Sends `Connection: close` if the response begins before the request is complete: the rest of the
 * body stays unread and must not be parsed as the next request (request smuggling).
 */
export class EarlyResponse extends ServerResponse {
  // Node also calls `writeHead` for implicit headers.
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
 * Closes a connection in stages (RFC 9112, 9.6): half-closes it, then discards further input.
 * Otherwise, a client that is still sending would get a TCP reset, which can destroy the response
 * before the client reads it.
 */
function lingerOnClose(socket: Socket): void {
  let lingers = false
  // Node calls `destroySoon` after the last response of a connection.
  socket.destroySoon = () => {
    if (lingers) return
    lingers = true
    socket.end()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
    // Deferred: Node resumes the socket of an unread body later in this event-loop turn.
    setImmediate(discard, socket)
  }
}

function discard(socket: Socket): void {
  const most = socket.bytesRead + LINGER_BYTES
  // Bypasses the parser, which would dispatch pipelined requests after the body.
  socket.removeAllListeners('data')
  socket.on('data', () => {
    if (socket.bytesRead > most) socket.destroy()
  })
}
