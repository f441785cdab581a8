/** One of three nodes loses its connection to one shard of the Redis Cluster, which the others still reach. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { slotOf } from '../../src/store/redis-slots.ts'
import { openWatchers } from '../support/change-watchers.ts'
import { placeCallers, slotsOfKeys } from '../support/cluster-events.ts'
import {
  faultsOfOthers,
  lostWrites,
  recordFigures,
  type Watched,
  watch,
} from '../support/failover-watch.ts'
import { type PartitionableNetwork, startNetwork } from '../support/partition.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { asOne } from '../support/redis-of-suite.ts'
import { describeOwnRedis } from '../support/redis-suite.ts'
import { connectCallers } from '../support/steady-callers.ts'
import { faultsIn, startThreeNodes, type ThreeNodes } from '../support/three-nodes.ts'

/** Not one of the two nodes that serve the followed call. */
const PARTITIONED = 2
const LONG = { timeout: 300_000 }

describeOwnRedis('a node without one shard', () => {
  let cluster: RedisCluster
  let network: PartitionableNetwork
  let nodes: ThreeNodes
  let watched: Watched

  beforeAll(async () => {
    cluster = await startRedisCluster()
    network = await startNetwork(cluster.servers)
    const common = { STORE_TIMEOUT_MS: '5000', LOG_LEVEL: 'info' }
    nodes = await startThreeNodes({
      redis: asOne(cluster),
      env: (index) => ({ ...common, ...(index === PARTITIONED && network.env) }),
    })
    const [callers, watchers] = await Promise.all([connectCallers(nodes), openWatchers(nodes)])
    watched = { nodes, callers, watchers }
  }, LONG.timeout)
  afterAll(async () => {
    watched?.watchers.close()
    await watched?.callers.close()
    await (nodes ?? cluster)?.stop()
    await network?.close()
  })

  const health = async () => {
    const response = await fetch(`${nodes.urls[PARTITIONED]}/readyz`)
    return { status: response.status, text: await response.text() }
  }

  test.for(['refused', 'silent'] as const)(
    '%s: it refuses only callers of that shard',
    LONG,
    async (how, { annotate }) => {
      const { tags } = watched.callers
      const master = await placeCallers(cluster, tags)
      const slots = await slotsOfKeys(cluster, [...tags.flat(), '{nodes}'], master)
      const seen = await watch(watched, async () => {
        await network.cut(master, how)
        await expect.poll(async () => (await health()).text).toContain('2 of 3 Redis shards')
        await sleep(4000)
        expect((await health()).status).toBe(200)
        await network.heal(master)
        await expect.poll(async () => (await health()).text).not.toContain('Redis shards')
      })
      await annotate(recordFigures('cluster', `a node without one shard, ${how}`, seen))
      const isAffected = (tag: string) => slots.has(slotOf(tag))
      expect(faultsOfOthers(seen.reports, isAffected)).toEqual([])
      expect(seen.reports.flatMap(({ faults }) => faults).length).toBeGreaterThan(0)
      expect(lostWrites(seen.reports)).toEqual([])
      expect(seen.unready).toEqual([0, 0, 0])
    },
  )

  test('no fault was logged', () => {
    expect(faultsIn(nodes.logs())).toEqual([])
  })
})
