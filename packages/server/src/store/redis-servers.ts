/** The store's Redis servers: a single one, a master behind Sentinels, or a cluster. */

import { parseRedisUrl, type RedisEndpoint, type RedisMode } from '../config/redis-url.ts'
import { withDeadline } from './command-deadline.ts'
import {
  clientOptions,
  createPlainClient,
  type RedisAddress,
  type RedisPassword,
  tlsNameOf,
} from './redis-client.ts'
import { RedisClusterTopology } from './redis-cluster-topology.ts'
import { deadlineMissed, withoutArguments } from './redis-errors.ts'
import { passwordIn } from './redis-password-file.ts'
import { RedisSentinelTopology } from './redis-sentinel-topology.ts'
import type { AskRedis, RedisTopology, TopologyOptions } from './redis-topology.ts'

export interface RedisServers extends RedisAddress {
  /**
   * `redis[s]://…`, `redis+cluster://…`, `redis+sentinel://…` or `unix://…`; takes precedence over its
   * parts.
   */
  readonly url?: string | undefined
  /** A file that each new connection reads, in place of `password`. */
  readonly passwordFile?: string | undefined
  /** `single` by default. */
  readonly mode?: RedisMode | undefined
  /** Some nodes of a cluster, or the Sentinels. */
  readonly endpoints?: readonly RedisEndpoint[] | undefined
  readonly sentinel?: SentinelAddress | undefined
  readonly sentinelPassword?: RedisPassword | undefined
}

interface SentinelAddress {
  /** The name by which the Sentinels know the master. */
  readonly name: string
  readonly username?: string | undefined
  /** A file that each new connection reads, in place of `sentinelPassword`. */
  readonly passwordFile?: string | undefined
}

/** Time-out of a discovery query: another server may reply sooner. */
const ASK_TIMEOUT_MS = 500

/**
 * Replaces the URL by its parts, and files with passwords by what reads them.
 * @throws TypeError for a malformed URL
 */
export function resolveServers(given: RedisServers): RedisServers {
  const { sentinel, passwordFile } = given
  const password =
    passwordFile === undefined ? given.password : passwordIn(passwordFile, 'REDIS_PASSWORD_FILE')
  const sentinelPassword =
    sentinel?.passwordFile === undefined
      ? given.sentinelPassword
      : passwordIn(sentinel.passwordFile, 'REDIS_SENTINEL_PASSWORD_FILE')
  const servers = { ...given, password, sentinelPassword }
  return given.url === undefined ? servers : { ...servers, ...partsOf(given.url, servers) }
}

function partsOf(url: string, { password, sentinel }: RedisServers): RedisServers {
  const parsed = parseRedisUrl(url)
  if (typeof parsed === 'string') throw new TypeError(`The address of Redis ${parsed}.`)
  const { mode, endpoints, socketPath, username, db, tls, masterName } = parsed
  return {
    ...{ url: undefined, mode, endpoints, ...endpoints[0], socketPath, username, db, tls },
    password: parsed.password ?? password,
    sentinel: masterName === undefined ? sentinel : { ...sentinel, name: masterName },
  }
}

/** The address of one of the servers, with the credentials of all. */
export function serverAt(servers: RedisServers, endpoint: RedisEndpoint): RedisAddress {
  const { username, password, db, tls, certificates, protocol, clientName } = servers
  const tlsName = tlsNameOf(endpoint, servers.tlsName, servers.endpoints ?? [])
  const { host, port } = endpoint
  return {
    ...{ host, port, username, password, db, tls, tlsName, certificates, protocol },
    clientName,
  }
}

/** Undefined for a single server, which needs no discovery. */
export function openTopology(
  servers: RedisServers,
  { log, monotonicNow }: Omit<TopologyOptions, 'seeds' | 'ask'>,
): RedisTopology | undefined {
  const { mode = 'single', endpoints: seeds = [], sentinel } = servers
  const askServer: AskRedis = (endpoint, args) => askOnce(serverAt(servers, endpoint), args)
  if (mode === 'cluster') {
    return new RedisClusterTopology({ log, monotonicNow, seeds, ask: askServer })
  }
  if (mode === 'single') return undefined
  const { username } = sentinel ?? {}
  const atSentinels = { ...servers, username, password: servers.sentinelPassword, db: 0 }
  return new RedisSentinelTopology({
    ...{ log, monotonicNow, seeds, askServer, masterName: sentinel?.name ?? '' },
    ask: (endpoint, args) => askOnce(serverAt(atSentinels, endpoint), args),
  })
}

/** One command on a connection of its own, without HELLO, which old proxies lack. */
async function askOnce(address: RedisAddress, args: readonly string[]): Promise<unknown> {
  const { socket, ...options } = clientOptions(address)
  const client = createPlainClient({
    ...{ ...options, RESP: 2, maintNotifications: 'disabled', disableClientInfo: true },
    socket: { ...socket, connectTimeout: ASK_TIMEOUT_MS, reconnectStrategy: false },
  })
  let isOver = false
  client.on('error', () => undefined)
  // node-redis does not destroy a socket that is still connecting, which would leak it.
  client.on('connect', () => {
    if (isOver) client.destroy()
  })
  const asking = client.connect().then(() => client.sendCommand([...args]))
  try {
    return await withDeadline<unknown>(asking, ASK_TIMEOUT_MS, deadlineMissed)
  } catch (error) {
    throw withoutArguments(error)
  } finally {
    isOver = true
    if (client.isOpen) client.destroy()
  }
}
