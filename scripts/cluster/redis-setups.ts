/** Redis servers on this machine for `--redis=cluster` and `--redis=sentinel`. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { freePort } from '../../packages/server/test/support/free-port.ts'
import {
  launchRedis,
  type RedisServer,
  startRedis,
} from '../../packages/server/test/support/redis.ts'

export const SETUPS = ['single', 'cluster', 'sentinel'] as const
export type Setup = (typeof SETUPS)[number]

export interface RunningRedis {
  /** For REDIS_URL. */
  readonly url: string
  /** What runs where, and a command that causes a failover; one line each. */
  readonly facts: readonly string[]
  stop(): Promise<void>
}

const MASTERS = 3
const SLOTS = 16_384
/** Milliseconds until a server that does not answer counts as failed. */
const FAILED_MS = '5000'
const FORM_MS = 30_000

/**
 * Starts the servers of a setup.
 * @throws Error if redis-server is not installed, or too old
 */
export async function startSetup(setup: Setup): Promise<RunningRedis> {
  const started: (() => Promise<void>)[] = []
  const stop = async () => void (await Promise.all(started.map((end) => end())))
  const start = async (...args: string[]) => {
    const server = await startRedis('plain', args)
    started.push(() => server.stop())
    return server
  }
  try {
    if (setup === 'cluster') return { ...(await startCluster(start)), stop }
    if (setup === 'sentinel') return { ...(await startSentinels(start, started)), stop }
    return { url: (await start()).url, facts: [], stop }
  } catch (error) {
    await stop()
    const reason = error instanceof Error ? error.message : String(error)
    const needed = setup === 'cluster' ? 'redis-server 7 or later' : 'redis-server'
    throw new Error(`--redis=${setup} needs ${needed} in PATH: ${reason}`, { cause: error })
  }
}

type Start = (...args: string[]) => Promise<RedisServer>

/** Three masters with a replica each, formed without `redis-cli`. */
async function startCluster(start: Start) {
  const servers: RedisServer[] = []
  for (let count = 0; count < 2 * MASTERS; count += 1) {
    const busPort = await freePort()
    const server = await start(
      ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
      ...['--cluster-node-timeout', FAILED_MS, '--cluster-require-full-coverage', 'no'],
    )
    await ask(server, 'CLUSTER', 'SET-CONFIG-EPOCH', String(count + 1))
    const [first = server] = servers
    await ask(server, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port), await busPortOf(first))
    servers.push(server)
  }
  const masters = servers.slice(0, MASTERS)
  for (const [index, master] of masters.entries()) {
    const [from, to] = [index, index + 1].map((each) => Math.floor((each * SLOTS) / MASTERS))
    await ask(master, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String((to ?? 0) - 1))
  }
  const replicas = servers.slice(MASTERS)
  for (const [index, replica] of replicas.entries()) {
    const id = String(await ask(masters[index] ?? replica, 'CLUSTER', 'MYID'))
    await until(() => ask(replica, 'CLUSTER', 'REPLICATE', id))
  }
  for (const server of servers) {
    await until(async () => {
      const state = String(await ask(server, 'CLUSTER', 'INFO'))
      if (!state.includes('cluster_state:ok')) throw new Error(`the cluster is not ready: ${state}`)
    })
  }
  return {
    url: `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    facts: [
      `Masters on the ports ${portsOf(masters)}, replicas on ${portsOf(replicas)}.`,
      `A failover: redis-cli -p ${replicas[0]?.port} cluster failover`,
    ],
  }
}

/** A master with two replicas, and three Sentinels that watch it. */
async function startSentinels(start: Start, started: (() => Promise<void>)[]) {
  const master = await start()
  const replicaOf = ['--replicaof', `127.0.0.1 ${master.port}`]
  const replicas = [await start(...replicaOf), await start(...replicaOf)]
  const ports = [await freePort(), await freePort(), await freePort()]
  for (const port of ports) started.push(await startSentinel(port, master.port))
  await until(async () => {
    const state = String(await ask({ port: ports[0] ?? 0 }, 'SENTINEL', 'CKQUORUM', NAME))
    if (!state.startsWith('OK 3')) throw new Error(`the Sentinels are not ready: ${state}`)
  })
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    facts: [
      `Sentinels on the ports ${ports.join(', ')}; the master on ${master.port}, replicas on ${portsOf(replicas)}.`,
      `A failover: redis-cli -p ${ports[0]} sentinel failover ${NAME}`,
    ],
  }
}

const NAME = 'mcp'

/** A Sentinel keeps its state in its configuration file. */
async function startSentinel(port: number, masterPort: number): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  const lines = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'logfile log'],
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${NAME} ${FAILED_MS}`,
    `sentinel failover-timeout ${NAME} 10000`,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const sentinel = await launchRedis(['redis-server', file, '--sentinel'])
  return async () => {
    await sentinel.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

async function busPortOf(server: RedisServer): Promise<string> {
  const [, port = ''] = (await ask(server, 'CONFIG', 'GET', 'cluster-port')) as string[]
  return port
}

async function ask({ port }: Pick<RedisServer, 'port'>, ...command: string[]): Promise<unknown> {
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    RESP: 2,
    socket: { reconnectStrategy: false },
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}

/** Servers learn of each other by gossip, which takes a while. */
async function until(work: () => Promise<unknown>): Promise<void> {
  const giveUpAt = performance.now() + FORM_MS
  while (true) {
    try {
      await work()
      return
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await delay(200)
    }
  }
}

const portsOf = (servers: readonly RedisServer[]) => servers.map(({ port }) => port).join(', ')
