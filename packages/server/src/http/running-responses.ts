/** The responses that are not over yet. */

import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface RunningResponses {
  add(response: ServerResponse): void
  all(): readonly ServerResponse[]
  /** Closes connections on which nothing was received; Node does not count them as idle. */
  closeUnused(): void
}

/**
 * Kept by connection, since connections are few and stay: a fifth less for each call. In a set that
 * changes with each response V8 makes a new table every few dozen of them, the old ones lead to the
 * new ones, and what was in them outlives two collections of garbage.
 */
export function trackResponses(server: Server): RunningResponses {
  const byConnection = new Map<Socket, ServerResponse[]>()

  server.on('connection', (socket) => {
    byConnection.set(socket, [])
    socket.once('close', () => setImmediate(closeQueued, socket))
  })

  /** Of requests that were sent at once only the first has the connection; Node forgets the others. */
  function closeQueued(socket: Socket): void {
    const queued = [...(byConnection.get(socket) ?? [])]
    byConnection.delete(socket)
    for (const response of queued) response.destroy().emit('close')
  }

  /** One for all responses, which call it as theirs. */
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
