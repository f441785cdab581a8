/** The responses that are not over yet. */

import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface RunningResponses {
  add(response: ServerResponse): void
  all(): readonly ServerResponse[]
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
    socket.once('close', () => byConnection.delete(socket))
  })
  return {
    add(response) {
      // Of those that a client sends without waiting there are several.
      const own = byConnection.get(response.req.socket)
      own?.push(response)
      response.once('close', () => own?.splice(own.indexOf(response), 1))
    },
    all: () => [...byConnection.values()].flat(),
  }
}
