/** Three nodes under load during failovers of the master behind their Sentinels. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWatchers } from '../support/change-watchers.ts'
import { restartGracefully, untilInStep } from '../support/cluster-events.ts'
import {
  lostWrites,
  recordFigures,
  type Seen,
  type Watched,
  watch,
} from '../support/failover-watch.ts'
import { type OAuthNodes, startOAuthNodes } from '../support/oauth-nodes.ts'
import { sendToRedis } from '../support/redis-commands.ts'
import { asOne } from '../support/redis-of-suite.ts'
import { type RedisSentinels, startRedisSentinels } from '../support/redis-sentinels.ts'
import { describeOwnRedis } from '../support/redis-suite.ts'
import { connectCallers } from '../support/steady-callers.ts'
import { faultsIn } from '../support/three-nodes.ts'

/** A master that is silent for this time has failed; `FAILOVER_TIMEOUT` for measurements. */
const SILENCE_MS = Number(process.env.FAILOVER_TIMEOUT ?? 5000)
/** Long, since a busy machine is not a failure; measurements use the default. */
const STORE_TIMEOUT_MS = process.env.FAILOVER_FIGURES === undefined ? '15000' : '1000'

/** Longer than the old master remains a master. */
const WRITES_PAUSED_MS = '30000'
/** A failover takes as long as the time-out, and more on a busy machine. */
const LONG = { timeout: 300_000 }

describeOwnRedis('three nodes behind Sentinels', () => {
  let sentinels: RedisSentinels
  let nodes: OAuthNodes
  let watched: Watched

  beforeAll(async () => {
    sentinels = await startRedisSentinels({ downAfterMs: SILENCE_MS })
    const env = { STORE_TIMEOUT_MS }
    nodes = await startOAuthNodes(env, undefined, asOne(sentinels))
    const [callers, watchers] = await Promise.all([connectCallers(nodes), openWatchers(nodes)])
    watched = { nodes, callers, watchers }
  }, LONG.timeout)
  afterAll(async () => {
    watched?.watchers.close()
    await watched?.callers.close()
    await (nodes ?? sentinels)?.stop()
  })

  const record = (event: string, seen: Seen) => recordFigures('sentinel', event, seen)
  const untilOneMaster = () => untilInStep(sentinels.servers, 1)

  /** Sentinels promote a replica, and demote the old master some seconds later. */
  async function failOver(): Promise<void> {
    await sentinels.failOver()
    await untilOneMaster()
  }

  test('a planned failover loses nothing while writes are paused', LONG, async ({ annotate }) => {
    const seen = await watch(watched, async () => {
      const master = await sentinels.master()
      await sendToRedis(master, 'CLIENT', 'PAUSE', WRITES_PAUSED_MS, 'WRITE')
      await failOver()
      await sendToRedis(master, 'CLIENT', 'UNPAUSE')
    })
    await annotate(record('planned failover, writes paused', seen))
    expect(lostWrites(seen.reports)).toEqual([])
  })

  test.for(['killed', 'hung'] as const)('the master is %s', LONG, async (how, { annotate }) => {
    const master = await sentinels.master()
    const seen = await watch(watched, async () => {
      if (how === 'killed') await master.kill()
      else master.pause()
      await sentinels.untilPromoted(master)
      // By then, the nodes have closed their connections to the replaced master.
      await sleep(6000)
      if (how === 'killed') await master.restart()
      else master.resume()
      await untilOneMaster()
    })
    await annotate(record(`the master is ${how}`, seen))
    expect(lostWrites(seen.reports)).toEqual([])
  })

  test('the master restarts', LONG, async ({ annotate }) => {
    const seen = await watch(watched, async () => {
      await restartGracefully(await sentinels.master())
      await untilOneMaster()
    })
    await annotate(record('the master restarts', seen))
    expect(lostWrites(seen.reports)).toEqual([])
  })

  // Last, since writes that the old master acknowledges before its demotion are lost, refreshes included.
  test('a planned failover without a pause: only refreshes can be lost', LONG, async (context) => {
    const seen = await watch(watched, failOver, { mayLose: true })
    await context.annotate(record('planned failover', seen))
  })

  test('no fault was logged', () => {
    expect(faultsIn(nodes.logs())).toEqual([])
  })
})
