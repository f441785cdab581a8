/** Connections to hosts that a stranger named: to addresses of the public internet alone. */

import { type LookupAddress, promises } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { Agent } from 'undici'
import { isPublicAddress } from './public-address.ts'

export interface GuardedAgentOptions {
  /** All addresses of a host name; the system's resolver by default. */
  readonly resolve?: ((hostname: string) => Promise<readonly LookupAddress[]>) | undefined
  /** For development and tests: addresses of this machine. */
  readonly allowLoopback?: boolean
  /** Trusted besides the usual certificate authorities' own, in PEM. */
  readonly ca?: string | undefined
  /** For a name and a connection. */
  readonly timeoutMs: number
  /** Nothing is connected after it. */
  readonly signal?: AbortSignal
}

/** The host has an address that is not public. */
export class NotPublicError extends TypeError {
  readonly code = 'ERR_NOT_PUBLIC'

  constructor() {
    super('The host is not on the public internet')
  }
}

/**
 * An agent whose sockets connect to addresses that were checked. Literal addresses need no lookup, so
 * that the caller checks them.
 */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  const { ca, timeoutMs } = options
  return new Agent({
    connect: {
      lookup: guardedLookup(options),
      timeout: timeoutMs,
      ...(ca !== undefined && { ca }),
    },
  })
}

/**
 * The public addresses of a host. One bad address spoils all.
 * @throws NotPublicError, TypeError for a host without an address
 */
async function publicAddresses(
  hostname: string,
  { resolve = resolveAll, allowLoopback = false }: GuardedAgentOptions,
): Promise<readonly [LookupAddress, ...LookupAddress[]]> {
  const [first, ...others] = await resolve(hostname)
  if (first === undefined) throw new TypeError('The host has no address')
  if (![first, ...others].every(({ address }) => isPublicAddress(address, allowLoopback))) {
    throw new NotPublicError()
  }
  return [first, ...others]
}

const resolveAll = (hostname: string) => promises.lookup(hostname, { all: true })

/**
 * A lookup whose answer is checked: the socket connects to what it was given here and asks nobody
 * again, so that a name which changes its mind gains nothing.
 */
function guardedLookup(options: GuardedAgentOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    publicAddresses(hostname, options)
      .then(([first, ...others]) => {
        // Too late: nobody waits, and nothing may be connected any more.
        options.signal?.throwIfAborted()
        if (all) callback(null, [first, ...others])
        else callback(null, first.address, first.family)
      })
      .catch((error: unknown) => callback(error as NodeJS.ErrnoException, []))
  }
}
