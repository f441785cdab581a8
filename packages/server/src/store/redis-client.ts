/** A node-redis client that fails fast and reconnects by itself. */

import { isIP } from 'node:net'
import { RedisClient as RedisClientClass, type RedisClientOptions } from '@redis/client'
import { defined } from '../config/defined.ts'
import { lookupRedis } from './redis-lookup.ts'

export interface RedisAddress {
  /** `localhost` by default. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** A Unix domain socket, in place of host and port. */
  readonly socketPath?: string | undefined
  readonly username?: string | undefined
  /** Or what reads the current one, for each new connection. */
  readonly password?: RedisPassword | undefined
  readonly db?: number | undefined
  readonly tls?: boolean | undefined
  /** The host name that the certificate must have; the host by default. */
  readonly tlsName?: string | undefined
  /** PEM texts: certificate authorities in place of those of Node, and a client certificate. */
  readonly certificates?: Certificates | undefined
  /** The version of RESP. By default 3, or 2 where HELLO is refused. */
  readonly protocol?: RedisProtocol | undefined
  /** The name in CLIENT LIST; ignored where it is refused. */
  readonly clientName?: string | undefined
}

interface Certificates {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export type RedisPassword = string | (() => string)
export type RedisProtocol = 2 | 3
export type RedisClient = ReturnType<typeof createRedisClient>

/** Longer than the retransmission time of a lost SYN (1 s), so that one lost packet is no failure. */
const CONNECT_TIMEOUT_MS = 2000
const SHORTEST_BACKOFF_MS = 50
const LONGEST_BACKOFF_MS = 500

/**
 * A client that is not connected yet. It never queues commands while Redis is unreachable, and
 * reconnects without limit, at most half a second after Redis is back.
 * @param timeoutMs for commands that are not written yet and have no deadline of ours
 * @param random from 0 to 1, for the jitter
 */
export function createRedisClient(
  address: RedisAddress,
  timeoutMs: number,
  random: () => number,
  protocol: RedisProtocol = address.protocol ?? 3,
) {
  const { socket, ...options } = clientOptions(address)
  return createPlainClient({
    ...options,
    RESP: protocol,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    commandOptions: { timeout: timeoutMs },
    socket: {
      ...socket,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (retries) => backoffMs(retries, random),
    },
  })
}

type PlainOptions = RedisClientOptions<None, None, None, RedisProtocol, None>
type None = Record<never, never>

/**
 * A client with `sendCommand` alone. node-redis's `createClient` also compiles a method for each of
 * its 450 commands, again for each set of options.
 */
export function createPlainClient(options: PlainOptions) {
  return new RedisClientClass<None, None, None, RedisProtocol, None>(options)
}

/** Exponential back-off with a cap; the upper half is jitter, so that nodes do not reconnect at once. */
export function backoffMs(retries: number, random: () => number): number {
  const full = Math.min(SHORTEST_BACKOFF_MS * 2 ** Math.min(retries, 10), LONGEST_BACKOFF_MS)
  return Math.round((full * (1 + random())) / 2)
}

/** The connection options of node-redis for an address. */
export function clientOptions(address: RedisAddress) {
  const { host = 'localhost', port = 6379, socketPath, username, password, db = 0 } = address
  const { tlsName, certificates } = address
  const tls = {
    ...({ tls: true, ...certificates } as const),
    ...(tlsName !== undefined && { servername: tlsName }),
  }
  return {
    socket: socketPath
      ? { path: socketPath }
      : { host, port, lookup: lookupRedis, ...(address.tls && tls) },
    database: db,
    credentialsProvider: {
      type: 'async-credentials-provider' as const,
      async credentials() {
        const current = typeof password === 'function' ? password() : password
        return defined({ username, password: current })
      },
    },
  }
}

/** The host name to verify: servers announce IP addresses, which certificates may lack. */
export function tlsNameOf(
  { host }: { readonly host: string },
  configured: string | undefined,
  seeds: readonly { readonly host: string }[],
): string | undefined {
  if (configured !== undefined || isIP(host) === 0) return configured
  return seeds.map((seed) => seed.host).find((name) => isIP(name) === 0)
}
