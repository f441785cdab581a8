/** Three nodes under load while masters of their Redis Cluster fail, are replaced, or give slots away. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { slotOf } from '../../src/store/redis-slots.ts'
import { askRedis } from '../support/ask-redis.ts'
import { openWatchers } from '../support/change-watchers.ts'
import { moveSlot, restartGracefully, slotsOfKeys } from '../support/cluster-events.ts'
import {
  faultsOfOthers,
  lostWrites,
  recordFigures,
  type Watched,
  watch,
} from '../support/failover-watch.ts'
import type { RedisServer } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { asOne } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectCallers } from '../support/steady-callers.ts'
import { faultsIn, startThreeNodes, type ThreeNodes } from '../support/three-nodes.ts'

/** After so much silence a master has failed; `FAILOVER_TIMEOUT` for measurements. */
const SILENCE_MS = Number(process.env.FAILOVER_TIMEOUT ?? 3000)
const isMeasured = process.env.FAILOVER_FIGURES !== undefined
/** A busy machine is not a failure; measurements take the default. */
const STORE_TIMEOUT_MS = isMeasured ? '1000' : '3000'

/** A failover takes as long as the time-out, and more on a busy machine. */
const LONG = { timeout: 180_000 }

describeRedis('plain', 'three nodes on a Redis Cluster', () => {
  let cluster: RedisCluster
  let nodes: ThreeNodes
  let watched: Watched

  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1, nodeTimeoutMs: SILENCE_MS })
    const env = () => ({ STORE_TIMEOUT_MS, LOG_LEVEL: 'info' })
    nodes = await startThreeNodes({ redis: asOne(cluster), env })
    const [callers, watchers] = await Promise.all([connectCallers(nodes.url), openWatchers(nodes)])
    watched = { nodes, callers, watchers }
  })
  afterAll(async () => {
    watched?.watchers.close()
    await watched?.callers.close()
    await (nodes ?? cluster)?.stop()
  })

  /** All slots of callers and nodes that a master has. */
  const slotsOf = (master: RedisServer) =>
    slotsOfKeys(cluster, [...watched.callers.tags, '{nodes}'], master)

  const masterOfNodes = () => cluster.masterOf('{nodes}')

  const ALWAYS_READY = [0, 0, 0]

  test.each(['killed', 'hung'] as const)('a master is %s', LONG, async (how) => {
    const master = await masterOfNodes()
    const slots = await slotsOf(master)
    const seen = await watch(watched, async () => {
      if (how === 'killed') await master.kill()
      else master.pause()
      await cluster.untilServed([master])
      await sleep(1000)
      if (how === 'killed') await master.restart()
      else master.resume()
    })
    console.log(recordFigures('cluster', `a master is ${how}`, seen))
    expect(faultsOfOthers(seen.reports, (tag) => slots.has(slotOf(tag)))).toEqual([])
    expect(lostWrites(seen.reports)).toEqual([])
    expect(seen.unready).toEqual(ALWAYS_READY)
  })

  test('nothing went wrong inside', () => {
    expect(faultsIn(nodes.logs())).toEqual([])
  })
})
