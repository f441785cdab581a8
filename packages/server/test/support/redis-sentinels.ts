/** Real, private Redis Sentinels for tests, with a master and its replicas. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { launch, type RedisServer, startRedis, untilAnswers } from './redis.ts'
import { REDIS_PROGRAM, type RedisKind } from './redis-binaries.ts'
import { QUICK_REPLICATION, type RedisTopologyServers } from './redis-cluster.ts'
import { sendToRedis, until } from './redis-commands.ts'

export interface RedisSentinels extends RedisTopologyServers {
  readonly sentinels: readonly { readonly port: number }[]
  /** The master that the Sentinels name now. */
  master(): Promise<RedisServer>
  /** Waits for another master that accepts writes. */
  untilPromoted(before: RedisServer): Promise<void>
  /** Makes a replica the master; asks again if the Sentinels refuse, or give their failover up. */
  failOver(): Promise<void>
}

const MASTER_NAME = 'main'
const SENTINELS = 3

/** A master, two replicas and three Sentinels. */
export async function startRedisSentinels(options: SentinelOptions = {}): Promise<RedisSentinels> {
  const { kind = 'plain', args = [] } = options
  return watchWithSentinels(await startRedis(kind, [...QUICK_REPLICATION, ...args]), options)
}

interface SentinelOptions {
  readonly kind?: RedisKind
  /** The master counts as failed after this time without contact, in milliseconds. */
  readonly downAfterMs?: number
  /** Further arguments of the data servers. */
  readonly args?: readonly string[]
}

/** Adds two replicas and three Sentinels to a running server. Stopping them stops the server too. */
export async function watchWithSentinels(
  first: RedisServer,
  { kind = 'plain', downAfterMs = 15_000, args = [] }: SentinelOptions = {},
): Promise<RedisSentinels> {
  const replicaOf = ['--replicaof', '127.0.0.1', String(first.port), ...QUICK_REPLICATION, ...args]
  const replicas = [await startRedis(kind, replicaOf), await startRedis(kind, replicaOf)]
  const servers = [first, ...replicas]
  await until(
    async () =>
      String(await sendToRedis(first, 'INFO', 'replication')).split('state=online').length === 3,
  )
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => startSentinel(first.port, downAfterMs)),
  )
  const one = sentinels[0] ?? first
  const stop = async () => {
    await Promise.all([...sentinels, ...servers].map((each) => each.stop()))
  }
  const untilWatched = () =>
    until(async () => {
      const views = await Promise.all(
        sentinels.map((each) => sendToRedis(each, 'INFO', 'sentinel')),
      )
      return views.every((view) => /status=ok.*slaves=2,sentinels=3/.test(String(view)))
    })
  const topology: RedisSentinels = {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER_NAME}`,
    ...{ servers, sentinels, stop },
    async announce(portOf) {
      for (const replica of replicas) {
        const port = String(portOf(replica.port))
        await sendToRedis(replica, 'CONFIG', 'SET', 'replica-announce-port', port)
      }
      const [host, port] = ['127.0.0.1', String(portOf(first.port))]
      for (const each of sentinels) {
        await sendToRedis(each, 'SENTINEL', 'REMOVE', MASTER_NAME)
        await sendToRedis(each, 'SENTINEL', 'MONITOR', MASTER_NAME, host, port, '2')
      }
      await untilWatched()
      return topology.url
    },
    async master() {
      const reply = await sendToRedis(one, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)
      const [, port] = reply as string[]
      return servers.find((server) => server.port === Number(port)) ?? first
    },
    async untilPromoted(before) {
      await until(async () => {
        const master = await topology.master()
        if (master === before) return false
        return String(await sendToRedis(master, 'ROLE')).startsWith('master')
      })
    },
    async failOver() {
      const before = await topology.master()
      await until(async () => {
        if ((await topology.master()) !== before) return true
        // Refused with INPROG during a failover, and with NOGOODSLAVE shortly after the last one.
        await sendToRedis(one, 'SENTINEL', 'FAILOVER', MASTER_NAME)
        return false
      })
      await topology.untilPromoted(before)
    },
  }
  await untilWatched()
  return topology
}

async function startSentinel(masterPort: number, downAfterMs: number) {
  const directory = await mkdtemp(join(tmpdir(), 'redis-sentinel-'))
  const port = await freePort()
  const file = join(directory, 'sentinel.conf')
  const lines = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`],
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${MASTER_NAME} 10000`,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const running = await launch([REDIS_PROGRAM, file, '--sentinel'])
  await untilAnswers(port, running.ended)
  return {
    port,
    async stop() {
      await running.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
