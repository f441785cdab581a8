/** Three nodes under load during failovers and resharding of their Redis Cluster. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { slotOf } from '../../src/store/redis-slots.ts'
import { openWatchers } from '../support/change-watchers.ts'
import {
  moveSlot,
  placeCallers,
  restartGracefully,
  slotsOfKeys,
  untilInStep,
} from '../support/cluster-events.ts'
import {
  faultsOfOthers,
  lostWrites,
  recordFigures,
  type Seen,
  type Watched,
  watch,
} from '../support/failover-watch.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import type { RedisServer } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { sendToRedis } from '../support/redis-commands.ts'
import { asOne } from '../support/redis-of-suite.ts'
import { describeOwnRedis } from '../support/redis-suite.ts'
import { connectCallers } from '../support/steady-callers.ts'
import { faultsIn } from '../support/three-nodes.ts'

/**
 * A master that is silent for this time has failed, which another on a busy machine must not
 * seem to be; `FAILOVER_TIMEOUT` for measurements.
 */
const SILENCE_MS = Number(process.env.FAILOVER_TIMEOUT ?? 10_000)
const isMeasured = process.env.FAILOVER_FIGURES !== undefined
/** Long, since a busy machine is not a failure; measurements use the default. */
const STORE_TIMEOUT_MS = isMeasured ? '1000' : '15000'

const MASTERS = 3
const MOVED_SLOTS = 6

/** A failover takes as long as the time-out, and more on a busy machine. */
const LONG = { timeout: 300_000 }

describeOwnRedis('three nodes on a Redis Cluster', () => {
  let cluster: RedisCluster
  let nodes: OAuthNodes
  let watched: Watched

  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1, nodeTimeoutMs: SILENCE_MS })
    // The signing keys that verify tokens are on one shard.
    const env = { STORE_TIMEOUT_MS, JWT_ALG: 'ES256' }
    nodes = await startOAuthNodes(env, undefined, asOne(cluster))
    const [callers, watchers] = await Promise.all([connectCallers(nodes), openWatchers(nodes)])
    watched = { nodes, callers, watchers }
  }, LONG.timeout)
  afterAll(async () => {
    watched?.watchers.close()
    await watched?.callers.close()
    await (nodes ?? cluster)?.stop()
  })

  /** The slots of callers and nodes that a master owns. */
  const slotsOf = (master: RedisServer) =>
    slotsOfKeys(cluster, [...watched.callers.tags.flat(), '{nodes}'], master)

  const masterOfNodes = () => cluster.masterOf('{nodes}')

  const record = (event: string, seen: Seen) => recordFigures('cluster', event, seen)
  const ALWAYS_READY = [0, 0, 0]

  function expectUnnoticed({ reports, unready }: Seen): void {
    expect(
      reports.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`)),
    ).toEqual([])
    expect(lostWrites(reports)).toEqual([])
    expect(unready).toEqual(ALWAYS_READY)
  }

  test('a planned failover has no effect on callers', LONG, async ({ annotate }) => {
    const master = await masterOfNodes()
    const seen = await watch(watched, async () => {
      await cluster.failOver(master)
    })
    await annotate(record('planned failover', seen))
    expectUnnoticed(seen)
  })

  test('slots that move to another master have no effect', LONG, async ({ annotate }) => {
    const source = await masterOfNodes()
    const masters = await Promise.all(
      watched.callers.tags.flat().map((tag) => cluster.masterOf(tag)),
    )
    const target = masters.find((master) => master !== source) ?? source
    const seen = await watch(watched, async () => {
      const slots = new Set([slotOf('{nodes}'), ...(await slotsOf(source))])
      for (const slot of [...slots].slice(0, MOVED_SLOTS)) await moveSlot(slot, source, target)
    })
    await annotate(record('resharding', seen))
    expectUnnoticed(seen)
  })

  test.for(['killed', 'hung'] as const)(
    'a master is %s: only callers of its slots wait',
    LONG,
    async (how, { annotate }) => {
      const master = await placeCallers(cluster, watched.callers.tags)
      const slots = await slotsOf(master)
      const seen = await watch(watched, async () => {
        if (how === 'killed') await master.kill()
        else master.pause()
        await cluster.untilServed([master])
        // By then, the nodes have closed their connections to the replaced master.
        await sleep(6000)
        if (how === 'killed') await master.restart()
        else master.resume()
        await untilInStep(cluster.servers, MASTERS)
      })
      await annotate(record(`a master is ${how}`, seen))
      expect(faultsOfOthers(seen.reports, (tag) => slots.has(slotOf(tag)))).toEqual([])
      expect(lostWrites(seen.reports)).toEqual([])
      expect(seen.unready).toEqual(ALWAYS_READY)
    },
  )

  test('all masters restart in turn', LONG, async ({ annotate }) => {
    const seen = await watch(watched, async () => {
      for (const server of cluster.servers) {
        if (!String(await sendToRedis(server, 'ROLE')).startsWith('master')) continue
        await restartGracefully(server)
        await cluster.untilServed()
        await untilInStep(cluster.servers, MASTERS)
      }
    })
    await annotate(record('all masters restart', seen))
    expect(lostWrites(seen.reports)).toEqual([])
    expect(seen.unready).toEqual(ALWAYS_READY)
  })

  test('no fault was logged', () => {
    expect(faultsIn(nodes.logs())).toEqual([])
  })
})
