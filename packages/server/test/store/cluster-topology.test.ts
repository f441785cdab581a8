/** Nodes of a Redis Cluster that disagree about the owners of slots, or announce no host. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import type { RedisEndpoint } from '../../src/config/redis-url.ts'
import { RedisClusterTopology } from '../../src/store/redis-cluster-topology.ts'
import { addressOf } from '../../src/store/redis-topology.ts'

type Node = readonly [host: string | null, port: number, id?: string, metadata?: string[]]
type View = readonly (readonly [first: number, last: number, master: Node])[]

const LAST = 16_383
const log = { info: () => undefined, warn: () => undefined }

function watchTopology(seeds: readonly RedisEndpoint[], viewOf: (of: RedisEndpoint) => View) {
  const topology = new RedisClusterTopology({
    ...{ seeds, log, monotonicNow: () => performance.now() },
    ask: async (endpoint) => viewOf(endpoint),
  })
  const seen: string[] = []
  topology.onChange(() => seen.push(topology.owners().map(addressOf).sort().join(' ')))
  onTestFinished(() => topology.close())
  topology.start()
  return { topology, seen }
}

it('the view of a partitioned node, which replies first, is not used', async () => {
  const seeds = ['partitioned', 'b', 'c', 'd'].map((host) => ({ host, port: 6379 }))
  const half = (LAST + 1) / 2
  const view = (promoted: string): View => [
    [0, half - 1, [promoted, 6379]],
    [half, LAST, ['c', 6379]],
  ]
  const { topology, seen } = watchTopology(seeds, ({ host }) =>
    view(host === 'partitioned' ? 'partitioned' : 'b'),
  )
  for (let round = 0; round < 12; round += 1) {
    await sleep(120)
    topology.suspect()
  }
  expect(seen.length).toBeGreaterThan(4)
  expect(new Set(seen)).toEqual(new Set(['b:6379 c:6379']))
})

it.each<[what: string, announced: Node, address: string]>([
  ['nothing', [null, 7000], 'seed:7000'],
  ['an empty host', ['', 7000], 'seed:7000'],
  ['no host name', ['?', 7000, 'id', ['ip', '10.0.0.7']], '10.0.0.7:7000'],
  ['no host name, and no address', ['?', 7000, 'id', []], 'seed:7000'],
  [
    'a host name',
    ['redis-7.example.com', 7000, 'id', ['ip', '10.0.0.7']],
    'redis-7.example.com:7000',
  ],
])('a node that announces %s has an address', async (_what, announced, address) => {
  const { seen } = watchTopology([{ host: 'seed', port: 6379 }], () => [[0, LAST, announced]])
  await expect.poll(() => seen.at(0)).toBe(address)
})
