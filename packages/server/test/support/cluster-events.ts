/** Administrative actions on the servers of a Redis Cluster. */

import { slotOf } from '../../src/store/redis-slots.ts'
import type { RedisServer } from './redis.ts'
import type { RedisCluster } from './redis-cluster.ts'
import { sendToRedis, until } from './redis-commands.ts'

/** The slots of these keys that a master owns. */
export async function slotsOfKeys(
  cluster: RedisCluster,
  keys: readonly string[],
  master: RedisServer,
): Promise<Set<number>> {
  const masters = await Promise.all(keys.map((key) => cluster.masterOf(key)))
  return new Set(keys.filter((_, at) => masters[at] === master).map(slotOf))
}

/** Moves a slot with its keys, as `redis-cli --cluster reshard` does. */
export async function moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const [fromId, toId] = await Promise.all(
    [from, to].map(async (server) => String(await sendToRedis(server, 'CLUSTER', 'MYID'))),
  )
  const set = (server: RedisServer, ...args: string[]) =>
    sendToRedis(server, 'CLUSTER', 'SETSLOT', String(slot), ...args)
  await set(to, 'IMPORTING', `${fromId}`)
  await set(from, 'MIGRATING', `${toId}`)
  for (;;) {
    const names = (await sendToRedis(from, 'CLUSTER', 'GETKEYSINSLOT', `${slot}`, '50')) as string[]
    if (names.length === 0) break
    const target = ['MIGRATE', '127.0.0.1', `${to.port}`, '', '0', '5000', 'KEYS', ...names]
    await sendToRedis(from, ...target)
  }
  await set(to, 'NODE', `${toId}`)
  await set(from, 'NODE', `${toId}`)
}

/**
 * Moves slots so that the first caller has no keys on the master of `{nodes}` and the second has:
 * session ids are random, and may all belong to one master. Returns that master.
 */
export async function placeCallers(
  cluster: RedisCluster,
  [spared = [], affected = []]: readonly (readonly string[])[],
): Promise<RedisServer> {
  const master = await cluster.masterOf('{nodes}')
  const others = cluster.servers.filter((server) => server !== master)
  const roles = await Promise.all(others.map((server) => sendToRedis(server, 'ROLE')))
  const other = others.find((_, at) => String(roles[at]).startsWith('master'))
  const moves = [...spared.map((tag) => ({ tag, to: other })), { tag: affected[0], to: master }]
  for (const { tag = '', to = master } of moves) {
    const from = await cluster.masterOf(tag)
    const isPlaced = to === master ? from === master : from !== master
    if (!isPlaced) await moveSlot(slotOf(tag), from, to)
  }
  return master
}

/** Restarts a server with all its data: SHUTDOWN waits for replicas and persistence. */
export async function restartGracefully(server: RedisServer): Promise<void> {
  // The connection closes when the server exits.
  await sendToRedis(server, 'SHUTDOWN').catch(() => undefined)
  await server.kill()
  await server.restart()
}

/** Waits until the given number of servers are masters, and all others are synchronized replicas. */
export async function untilInStep(servers: readonly RedisServer[], masters: number): Promise<void> {
  await until(async () => {
    const infos = await Promise.all(
      servers.map(async (server) => String(await sendToRedis(server, 'INFO', 'replication'))),
    )
    const replicas = infos.filter((info) => !info.includes('role:master'))
    const inStep = replicas.filter((info) => info.includes('master_link_status:up'))
    return infos.length - replicas.length === masters && inStep.length === replicas.length
  })
}

/** Waits until the replicas of a master have all that it has now. */
export async function untilReplicated(master: RedisServer): Promise<void> {
  const replication = async () => String(await sendToRedis(master, 'INFO', 'replication'))
  const written = Number(/^master_repl_offset:(\d+)/m.exec(await replication())?.[1])
  await until(async () => {
    const received = (await replication()).matchAll(/^slave\d+:.*\boffset=(\d+)/gm)
    return [...received].every(([, offset]) => Number(offset) >= written)
  })
}
