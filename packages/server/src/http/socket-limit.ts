/** How many connections this process can hold, by what the system lets it open. */

import { readFileSync } from 'node:fs'
import type { Logger } from '../logger.ts'

/** For the store, the upstream, logs and modules. */
const OTHER_DESCRIPTORS = 200

/** `wanted`, or what the limit on open files leaves room for; logs a warning for less. */
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

/** Infinity where the system does not say: only Linux has it in a file. */
function maxOpenFiles(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
