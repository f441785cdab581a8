/** Limits the number of connections, also by the process's file descriptor limit. */

import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import type { Logger } from '../logger.ts'

/** File descriptors reserved for the store, upstreams, logs and modules. */
const OTHER_DESCRIPTORS = 200

/** Returns `wanted`, or logs a warning and returns as many as the limit on open files allows. */
export function socketsWithin(
  wanted: number,
  log: Pick<Logger, 'warn'>,
  openFiles: number = maxOpenFiles(),
): number {
  const most = Math.max(1, openFiles - OTHER_DESCRIPTORS)
  if (wanted <= most) return wanted
  log.warn(
    { maxSockets: most, openFiles },
    'MAX_SOCKETS is more than the limit on open files allows',
  )
  return most
}

/** Closes connections above the limit at once; the server emits `drop` for each. */
export function limitSockets(server: Server, maxSockets: number): void {
  if (cluster.isWorker) limitSocketsOfWorker(server, maxSockets)
  else server.maxConnections = maxSockets
}

/**
 * With `maxConnections`, a worker of Node 20 returns connections to the primary, which offers them
 * to all workers over and over while all are full.
 */
function limitSocketsOfWorker(server: Server, maxSockets: number): void {
  let open = 0
  server.prependListener('connection', (socket: Socket) => {
    open += 1
    socket.once('close', () => {
      open -= 1
    })
    if (open <= maxSockets) return
    socket.destroy()
    server.emit('drop')
  })
}

/** The limit on open files; Infinity if unknown, as on systems without `/proc`. */
function maxOpenFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
