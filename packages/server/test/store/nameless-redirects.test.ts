/** Redirects to a cluster node without a host name (`?`). */

import { ErrorReply } from '@redis/client'
import { expect, it, onTestFinished } from 'vitest'
import { RedisClusterTopology } from '../../src/store/redis-cluster-topology.ts'
import { createRoutedConnection } from '../../src/store/redis-routed-connection.ts'
import type { RedisShard } from '../../src/store/redis-shard.ts'
import { RedisShards } from '../../src/store/redis-shards.ts'
import { slotOf } from '../../src/store/redis-slots.ts'

const KEY = 'foo'
const LAST = 16_383

const MOVED = `MOVED ${slotOf(KEY)} ?:6379`
const ASK = `ASK ${slotOf(KEY)} ?:6379`

/** Three machines with the same port; the first has the slot of the key, until it moves. */
async function openRouted(refusalOf: (host: string) => string | undefined) {
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
        [200, 299, ['?', 6379, 'three', ['ip', '10.0.0.3']]],
        [300, LAST, ['?', 6379, 'any', ['ip', ownerOfKey]]],
      ]
    },
  })
  const shards = new RedisShards(topology, ({ host }) => {
    const command = async ([name = '']: readonly string[]) => {
      if (name !== 'GET') return 'OK'
      requests.push(host)
      const refusal = refusalOf(host)
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
  const { routed, requests, move } = await openRouted((host) =>
    host === '10.0.0.1' ? MOVED : undefined,
  )
  move()
  expect(await routed.command(['GET', KEY], KEY)).toBe('from 10.0.0.2')
  expect(requests).toEqual(['10.0.0.1', '10.0.0.2'])
})

it('ASK is followed to the one of the servers with this port that imports the slot', async () => {
  const { routed, requests } = await openRouted((host) =>
    host === '10.0.0.3' ? undefined : host === '10.0.0.1' ? ASK : MOVED,
  )
  expect(await routed.command(['GET', KEY], KEY)).toBe('from 10.0.0.3')
  expect(requests).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
})

it('ASK is retried until the slot has moved, where no known server imports it', async () => {
  let left = 5
  const { routed, requests, move } = await openRouted((host) => {
    if (host !== '10.0.0.1') return left > 0 ? MOVED : undefined
    left -= 1
    if (left === 0) move()
    return left > 0 ? ASK : MOVED
  })
  expect(await routed.command(['GET', KEY], KEY)).toBe('from 10.0.0.2')
  expect(requests.filter((host) => host === '10.0.0.1')).toHaveLength(5)
})

it('an error of the server that imports the slot is the reply', async () => {
  const { routed, requests } = await openRouted((host) => {
    if (host === '10.0.0.1') return ASK
    return host === '10.0.0.2' ? 'WRONGTYPE Operation against a key' : MOVED
  })
  await expect(routed.command(['GET', KEY], KEY)).rejects.toThrow('WRONGTYPE')
  expect(requests).toEqual(['10.0.0.1', '10.0.0.2'])
})
