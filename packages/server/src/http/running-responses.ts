/** Tracks responses in progress, for graceful shutdown. */

import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface RunningResponses {
  add(response: ServerResponse): void
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
    all: () => [...byConnection.values()].flat(),
    closeUnused() {
      for (const socket of byConnection.keys()) if (socket.bytesRead === 0) socket.destroy()
    },
  }
}
