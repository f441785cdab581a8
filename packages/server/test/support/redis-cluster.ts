/** Real, private Redis Clusters for tests, whose servers can be killed and paused. */

import { slotOf } from '../../src/store/redis-slots.ts'
import { freePort } from './free-port.ts'
import { type RedisServer, startRedis } from './redis.ts'
import { type RedisKind, redisMajor } from './redis-binaries.ts'
import { sendToRedis, until } from './redis-commands.ts'

export interface RedisTopologyServers {
  /** For `REDIS_URL`. */
  readonly url: string
  /** All data servers. */
  readonly servers: readonly RedisServer[]
  /** Makes each server announce another port; returns the value for `REDIS_URL`. */
  announce(portOf: (own: number) => number): Promise<string>
  stop(): Promise<void>
}

export interface RedisCluster extends RedisTopologyServers {
  /** The current master of a key's slot. */
  masterOf(key: string): Promise<RedisServer>
  /** A replica of this master. */
  replicaOf(master: RedisServer): Promise<RedisServer>
  /** Makes the replica of this master a master, and asks it again if it gives up. */
  failOver(master: RedisServer): Promise<void>
  /** Waits until every slot has a master other than the given servers. */
  untilServed(without?: readonly RedisServer[]): Promise<void>
}

export interface ClusterOptions {
  readonly kind?: RedisKind
  /** The number of replicas of each master. */
  readonly replicas?: 0 | 1
  /** A master counts as failed after this time without contact, in milliseconds. */
  readonly nodeTimeoutMs?: number
  readonly args?: readonly string[]
}

const MASTERS = 3
/** A replica gives a planned failover up after five seconds, and then accepts the command again. */
const MANUAL_FAILOVER_MS = 6000
export const SLOTS = 16_384
export const QUICK_REPLICATION = [
  '--repl-diskless-sync-delay',
  '0',
  '--repl-ping-replica-period',
  '1',
]

/** The arguments of `CLUSTER ADDSLOTS`; Redis 6.2 knows no ranges. */
export function addSlots(first: number, end: number): readonly string[] {
  const slots = Array.from({ length: end - first }, (_, at) => String(first + at))
  return ['CLUSTER', 'ADDSLOTS', ...slots]
}

/** A Redis Cluster of three masters. */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { kind = 'plain', replicas = 0, nodeTimeoutMs = 15_000, args = [] } = options
  const size = MASTERS * (1 + replicas)
  const ports = await Promise.all(Array.from({ length: size }, () => freePort()))
  // Redis 6.2 cannot choose the port of the cluster bus, and keeps replicas where they are by a barrier.
  const isOld = redisMajor() < 7
  const releaseOptions = (busPort: number) =>
    isOld
      ? ['--cluster-migration-barrier', '100']
      : ['--cluster-port', String(busPort), '--cluster-allow-replica-migration', 'no']
  const servers = await Promise.all(
    ports.map((busPort) =>
      startRedis(kind, [
        ...['--cluster-enabled', 'yes', ...releaseOptions(busPort)],
        ...[
          '--cluster-node-timeout',
          String(nodeTimeoutMs),
          '--cluster-replica-validity-factor',
          '0',
        ],
        ...['--cluster-require-full-coverage', 'no'],
        ...QUICK_REPLICATION,
        ...args,
      ]),
    ),
  )
  const byPort = (port: unknown) => servers.find((server) => server.port === Number(port))
  const busPorts = isOld ? servers.map(({ port }) => port + 10_000) : ports
  const urlOf = (ports: readonly number[]) =>
    `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`
  const cluster: RedisCluster = {
    url: urlOf(servers.map(({ port }) => port)),
    servers,
    async announce(portOf) {
      for (const server of servers) {
        const port = String(portOf(server.port))
        await sendToRedis(server, 'CONFIG', 'SET', 'cluster-announce-port', port)
      }
      const announced = servers.map(({ port }) => portOf(port))
      await until(async () => {
        const views = await Promise.all(servers.map((server) => slotsOf([server])))
        const members = views.flat().flatMap(([, , ...each]) => each)
        return members.every(([, port]) => announced.includes(port))
      })
      return urlOf(announced)
    },
    async masterOf(key) {
      const slot = slotOf(key)
      const range = (await slotsOf(servers)).find(([first, last]) => slot >= first && slot <= last)
      return found(byPort(range?.[2][1]))
    },
    async replicaOf(master) {
      const range = (await slotsOf(servers)).find(([, , [, port]]) => port === master.port)
      return found(byPort(range?.[3]?.[1]))
    },
    async failOver(master) {
      const replica = await cluster.replicaOf(master)
      await promote((...command) => sendToRedis(replica, ...command))
      await cluster.untilServed([master])
    },
    async untilServed(without = []) {
      const left = servers.filter((server) => !without.includes(server))
      await until(async () => {
        const ranges = await slotsOf(left)
        const count = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0)
        return (
          count === SLOTS &&
          !ranges.some(([, , [, port]]) => without.includes(byPort(port) ?? FIRST))
        )
      })
    },
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
  try {
    await form(servers, busPorts, replicas)
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** Makes a replica a master by commands to it, and asks it again if it gives up. */
export async function promote(send: (...command: string[]) => Promise<unknown>): Promise<void> {
  let askAgainAt = 0
  await until(async () => {
    if (String(await send('ROLE')).startsWith('master')) return true
    if (Date.now() < askAgainAt) return false
    askAgainAt = Date.now() + MANUAL_FAILOVER_MS
    await send('CLUSTER', 'FAILOVER')
    return false
  })
}

const FIRST = {} as RedisServer

async function form(
  servers: readonly RedisServer[],
  busPorts: readonly number[],
  replicas: number,
) {
  const masters = servers.slice(0, MASTERS)
  await Promise.all(
    servers.map((server, at) => sendToRedis(server, 'CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1))),
  )
  for (const [at, master] of masters.entries()) {
    const startOf = (part: number) => Math.floor((part * SLOTS) / MASTERS)
    await sendToRedis(master, ...addSlots(startOf(at), startOf(at + 1)))
  }
  for (const [at, { port }] of servers.entries()) {
    if (at > 0)
      await sendToRedis(
        servers[0] ?? FIRST,
        'CLUSTER',
        'MEET',
        '127.0.0.1',
        `${port}`,
        `${busPorts[at]}`,
      )
  }
  const info = async (server: RedisServer) => String(await sendToRedis(server, 'CLUSTER', 'INFO'))
  const all = async (text: string) =>
    (await Promise.all(servers.map(info))).every((each) => each.includes(text))
  await until(() => all(`cluster_known_nodes:${servers.length}`))
  for (const [at, replica] of servers.slice(MASTERS).entries()) {
    const id = String(await sendToRedis(masters[at] ?? FIRST, 'CLUSTER', 'MYID'))
    await until(() =>
      sendToRedis(replica, 'CLUSTER', 'REPLICATE', id).then(
        () => true,
        () => false,
      ),
    )
  }
  await until(() => all('cluster_state:ok'))
  await until(async () => {
    const views = await Promise.all(servers.map((server) => slotsOf([server])))
    return views.every(
      (view) => view.length >= MASTERS && view.every((range) => range.length >= 3 + replicas),
    )
  })
}

type Member = readonly [host: string, port: number, id: string]
type SlotRange = readonly [first: number, last: number, master: Member, ...replicas: Member[]]

/** The reply of the first server that responds. */
async function slotsOf(servers: readonly RedisServer[]): Promise<readonly SlotRange[]> {
  for (const server of servers) {
    const reply = await sendToRedis(server, 'CLUSTER', 'SLOTS').catch(() => undefined)
    if (reply !== undefined) return reply as readonly SlotRange[]
  }
  return []
}

function found(server: RedisServer | undefined): RedisServer {
  if (server === undefined) throw new Error('there is no such server')
  return server
}
