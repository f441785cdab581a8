/** Redirects to a cluster node without a host name (`?`). */

import { ErrorReply } from '@redis/client'
import { expect, it, onTestFinished } from 'vitest'
import { RedisClusterTopology } from '../../src/store/redis-cluster-topology.ts'
import { createRoutedConnection } from '../../src/store/redis-routed-connection.ts'
import type { RedisShard } from '../../src/store/redis-shard.ts'
import { createRedisShards } from '../../src/store/redis-shards.ts'
import { slotOf } from '../../src/store/redis-slots.ts'

const KEY = 'foo'
const LAST = 16_383

/** Two machines with the same port; the first has the slot of the key, until it moves. */
async function openRouted(replyOfFirst: () => string | undefined) {
  let hasMoved = false
  const requests: string[] = []
  const log = { info: () => undefined, warn: () => undefined }
  const monotonicNow = () => performance.now()
  const topology = new RedisClusterTopology({
    ...{ log, monotonicNow, seeds: [{ host: '10.0.0.1', port: 6379 }] },
    ask: async () => {
      const ownerOfKey = hasMoved ? '10.0.0.2' : '10.0.0.1'
      return [
        [0, 99, ['?', 6379, 'one', ['ip', '10.0.0.1']]],
        [100, 199, ['?', 6379, 'two', ['ip', '10.0.0.2']]],
        [200, LAST, ['?', 6379, 'any', ['ip', ownerOfKey]]],
      ]
    },
  })
  const shards = createRedisShards(topology, ({ host }) => {
    const command = async ([name = '']: readonly string[]) => {
      if (name !== 'GET') return 'OK'
      requests.push(host)
      const refusal = host === '10.0.0.1' ? replyOfFirst() : undefined
      if (refusal !== undefined) throw new ErrorReply(refusal)
      return `from ${host}`
    }
    const connection = { command, close: async () => undefined }
    const shard = { connection, state: 'ready', settled: Promise.resolve(), close: async () => {} }
    return shard as unknown as RedisShard
  })
  const routed = createRoutedConnection({
    ...{ topology, shards, monotonicNow, isCluster: true, timeoutMs: 20_000 },
  })
  onTestFinished(() => routed.close())
  topology.start()
  await expect.poll(() => topology.isComplete()).toBe(true)
  const move = () => {
    hasMoved = true
  }
  return { routed, requests, move }
}

it('MOVED is followed to the owner that discovery finds', async () => {
  const { routed, requests, move } = await openRouted(() => `MOVED ${slotOf(KEY)} ?:6379`)
  move()
  expect(await routed.command(['GET', KEY], KEY)).toBe('from 10.0.0.2')
  expect(requests).toEqual(['10.0.0.1', '10.0.0.2'])
})

it('ASK is retried until the slot has moved', async () => {
  let left = 20
  const { routed, requests, move } = await openRouted(() => {
    left -= 1
    if (left === 0) move()
    return `${left > 0 ? 'ASK' : 'MOVED'} ${slotOf(KEY)} ?:6379`
  })
  expect(await routed.command(['GET', KEY], KEY)).toBe('from 10.0.0.2')
  expect(requests).toEqual([...Array.from({ length: 20 }, () => '10.0.0.1'), '10.0.0.2'])
})
