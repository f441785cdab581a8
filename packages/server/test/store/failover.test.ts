/** Failovers of Redis Cluster and Sentinel, as callers of the store see them. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import type { AppError } from '../../src/errors.ts'
import { newKey } from '../../src/store/contract/store-nodes.ts'
import type { Store } from '../../src/store/port.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import { moveSlot, slotsOfKeys } from '../support/cluster-events.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { sendToRedis } from '../support/redis-commands.ts'
import { type RedisSentinels, startRedisSentinels } from '../support/redis-sentinels.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { connectedStore } from './redis-stores.ts'
import { type LoadFigures, startLoad } from './store-load.ts'

/** Both are so long that a busy machine does not count as a failure. */
const TIMEOUT_MS = 2000
const SILENCE_MS = 3000
/** Masters pause their clients during planned failovers. */
const PATIENT_MS = 15_000
/** Longer than a replaced server may still answer commands in flight. */
const GRACE_MS = 3000

function expectNothingLost({ wrong, lost, lostEntries, undelivered }: LoadFigures): void {
  expect({ wrong, lost, lostEntries, undelivered }).toEqual({
    ...{ wrong: [], lost: [], lostEntries: [], undelivered: [] },
  })
}

describeRedis('plain', 'in a Redis Cluster', () => {
  let cluster: RedisCluster
  let store: Store

  beforeEach(async () => {
    cluster = await startRedisCluster({ replicas: 1, nodeTimeoutMs: SILENCE_MS })
    store = await connectedStore(cluster.url, { timeoutMs: TIMEOUT_MS })
  })
  afterEach(async () => {
    await store?.close()
    await cluster?.stop()
  })

  async function openPatient(): Promise<Store> {
    const patient = await connectedStore(cluster.url, { timeoutMs: PATIENT_MS })
    onTestFinished(() => patient.close())
    return patient
  }

  const masterOfStream = () => cluster.masterOf('{nodes}')

  /** Failures of keys that were on other servers. */
  const failuresOfOthers = ({ failed }: LoadFigures, slots: ReadonlySet<number>) =>
    [...failed].filter(([key]) => !slots.has(slotOf(key)))

  it.each(['killed', 'hung'] as const)('a master is %s: its replica takes over', async (how) => {
    const load = await startLoad(store)
    await load.settle()
    const master = await masterOfStream()
    const slots = await slotsOfKeys(cluster, [...load.keys, '{nodes}'], master)
    if (how === 'killed') await master.kill()
    else master.pause()
    await cluster.untilServed([master])
    await load.settle()
    if (how === 'hung') {
      master.resume()
      await load.settle()
    }
    const figures = await load.stop()
    expectNothingLost(figures)
    expect(failuresOfOthers(figures, slots)).toEqual([])
  })

  it('a master that hung for long does not acknowledge writes that are lost', async () => {
    const patient = await openPatient()
    const tag = `{${newKey()}}`
    await patient.set(tag, { n: 0 }, 600)
    const master = await cluster.masterOf(tag)
    master.pause()
    const writing = patient.set(tag, { n: 1 }, 600).then(
      () => 'acknowledged',
      (error: AppError) => error.code,
    )
    await cluster.untilServed([master])
    await expect
      .poll(() => patient.get(tag).catch(() => undefined), { interval: 500 })
      .toMatchObject({ n: 0 })
    await sleep(GRACE_MS)
    master.resume()
    expect(await writing).toBe('unavailable')
  })

  it('a planned failover has no effect on callers', async () => {
    const load = await startLoad(await openPatient())
    await load.settle()
    const master = await masterOfStream()
    await cluster.failOver(master)
    await load.settle()
    const figures = await load.stop()
    expectNothingLost(figures)
    expect([...figures.failed]).toEqual([])
  })

  it('slots that move to another master have no effect on callers', async () => {
    const load = await startLoad(await openPatient())
    await load.settle()
    const source = await masterOfStream()
    const slots = await slotsOfKeys(cluster, [...load.keys, '{nodes}'], source)
    const target = cluster.servers.find((server) => server !== source) ?? source
    for (const slot of slots) await moveSlot(slot, source, target)
    await load.settle()
    const figures = await load.stop()
    expectNothingLost(figures)
    expect([...figures.failed]).toEqual([])
  })
})

describeRedis('plain', 'behind Sentinels', () => {
  let sentinels: RedisSentinels
  let store: Store

  beforeEach(async () => {
    sentinels = await startRedisSentinels({ downAfterMs: SILENCE_MS })
    store = await connectedStore(sentinels.url, { timeoutMs: TIMEOUT_MS })
  })
  afterEach(async () => {
    await store?.close()
    await sentinels?.stop()
  })

  it.each(['killed', 'hung'] as const)('the master is %s: a replica takes over', async (how) => {
    const load = await startLoad(store)
    await load.settle()
    const master = await sentinels.master()
    if (how === 'killed') await master.kill()
    else master.pause()
    await sentinels.untilPromoted(master)
    await load.settle()
    if (how === 'hung') {
      master.resume()
      await load.settle()
    }
    expectNothingLost(await load.stop())
  })

  // Without the pause, the old master acknowledges writes until it is demoted.
  it('a planned failover loses nothing while writes are paused', async () => {
    const load = await startLoad(store)
    await load.settle()
    const master = await sentinels.master()
    await sendToRedis(master, 'CLIENT', 'PAUSE', '30000', 'WRITE')
    await sentinels.failOver()
    await load.settle()
    expectNothingLost(await load.stop())
  })
})
