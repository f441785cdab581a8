/** WORKERS: how many processes serve one port, and the share of the limits that each has. */

import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { facts } from './facts.ts'
import type { Faults } from './faults.ts'
import type { HttpConfig, StoreConfig } from './shape.ts'
import type { RawVariables } from './sources.ts'
import { values } from './values.ts'

const MOST_WORKERS = 256

export const workerVariables = {
  WORKERS: z
    .string()
    .transform((given, context) => parseWorkers(given) ?? invalid(context))
    .register(values, { wants: `auto, or an integer between 1 and ${MOST_WORKERS}` })
    .default(1)
    .register(facts, {
      what: 'How many processes serve the port, to use all cores of a machine; needs Redis. `auto`: one for each core that Node reports as available. The `MAX_` limits are divided among them. `mcp-template dev` runs one process.',
    }),
}

type Workers = number | 'auto'

function parseWorkers(given: string): Workers | undefined {
  if (given === 'auto') return given
  const count = /^\d{1,3}$/.test(given) ? Number(given) : 0
  return count >= 1 && count <= MOST_WORKERS ? count : undefined
}

function invalid(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom' })
  return z.NEVER
}

interface Chosen {
  readonly workers: Workers
  readonly store: StoreConfig
  readonly argv: readonly string[] | undefined
  /** Whether this process must serve alone, as in development. */
  readonly isAlone: boolean
}

/** The number of workers. More than one require a shared store and a port. */
export function chooseWorkers(
  raw: RawVariables,
  { workers, store, argv, isAlone }: Chosen,
  faults: Faults,
): number {
  if (raw.WORKERS === undefined || workers === 1) return 1
  if (isAlone) {
    faults.warn('workers_ignored', 'WORKERS is ignored: mcp-template dev runs one process')
    return 1
  }
  if (argv?.[0] === 'stdio') {
    faults.add('WORKERS', 'conflicts with stdio, where one process serves one user: remove it')
  } else if (store.kind === 'memory') {
    faults.add('WORKERS', 'needs Redis, which all workers share: set REDIS_URL, or remove WORKERS')
  }
  return workers === 'auto' ? availableParallelism() : workers
}

/** The limits of a node that are divided among its workers, by their variables. */
const LIMITS = {
  MAX_BODY_BYTES_IN_PROGRESS: 'maxBodyBytesInProgress',
  MAX_SOCKETS: 'maxSockets',
  MAX_STREAMS: 'maxStreams',
  MAX_NODE_STREAMS: 'maxNodeStreams',
  MAX_CALLS: 'maxCalls',
  MAX_CONNECTIONS: 'maxConnections',
} as const satisfies Record<string, keyof HttpConfig>

/** The configuration of one worker: with its share of each limit, rounded down. */
export function shareOf(http: HttpConfig, workers: number, faults: Faults): HttpConfig {
  if (workers === 1) return http
  const shares = Object.entries(LIMITS).map(([name, key]) => {
    // Otherwise a worker would refuse bodies that BODY_LIMIT_BYTES allows.
    const least = key === 'maxBodyBytesInProgress' ? http.bodyLimitBytes : 1
    const share = Math.floor(http[key] / workers)
    if (share < least) {
      faults.add(name, `must be at least ${least * workers} with ${workers} workers`)
    }
    return [key, share] as const
  })
  return { ...http, ...Object.fromEntries(shares) }
}
