/**
 * Connections of the HTTP server: responses in progress (graceful shutdown), responses sent before
 * the request body is read (lingering close against TCP resets and request smuggling), and `Expect`.
 */

import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface RunningResponses {
  add(response: ServerResponse): void
  /**
   * Closes the connection, or each one, after its last response: Node drops the responses to
   * requests that are pipelined behind a response that closes it.
   */
  closeAfterLast(socket?: Socket): void
  all(): readonly ServerResponse[]
  /** Closes connections that have received no bytes; Node does not count them as idle. */
  closeUnused(): void
}

/**
 * Indexed by connection, because connections are few and long-lived. A `Set` of responses would
 * be slower: V8 rehashes it every few dozen changes, and the chain of old tables keeps closed
 * responses alive for two garbage collections.
 */
export function trackResponses(server: Server): RunningResponses {
  const byConnection = new Map<Socket, ServerResponse[]>()

  server.on('connection', (socket) => {
    byConnection.set(socket, [])
    socket.once('close', () => setImmediate(closeQueued, socket))
  })

  /** Closes pipelined responses: only the first owns the socket, and Node drops the others. */
  function closeQueued(socket: Socket): void {
    const queued = [...(byConnection.get(socket) ?? [])]
    byConnection.delete(socket)
    for (const response of queued) response.destroy().emit('close')
  }

  /** Shared listener; `this` is the response. */
  function remove(this: ServerResponse): void {
    const own = byConnection.get(this.req.socket)
    const at = own?.indexOf(this) ?? -1
    if (at >= 0) own?.splice(at, 1)
  }

  return {
    add(response) {
      byConnection.get(response.req.socket)?.push(response)
      response.on('close', remove)
    },
    closeAfterLast(socket) {
      const one = socket && [byConnection.get(socket) ?? []]
      for (const responses of one ?? byConnection.values()) {
        for (const each of responses) each.shouldKeepAlive = each !== responses.at(-1)
      }
    },
    all: () => [...byConnection.values()].flat(),
    closeUnused() {
      for (const socket of byConnection.keys()) if (socket.bytesRead === 0) socket.destroy()
    },
  }
}

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
