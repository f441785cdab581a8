/** Caps the number of connections by the process's file descriptor limit. */

import { readFileSync } from 'node:fs'
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

/** The limit on open files; Infinity if unknown, as on systems without `/proc`. */
function maxOpenFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
