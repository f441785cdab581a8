/** Nodes of a Redis Cluster that disagree about the owners of slots, hang, or announce no host. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { RedisEndpoint } from '../../src/config/redis-url.ts'
import { RedisClusterTopology } from '../../src/store/redis-cluster-topology.ts'
import { healthTagOf } from '../../src/store/redis-shards-health.ts'
import { SLOT_COUNT, slotOf } from '../../src/store/redis-slots.ts'
import { addressOf } from '../../src/store/redis-topology.ts'

type Node = readonly [host: string | null, port: number, id?: string, metadata?: string[]]
type View = readonly (readonly [first: number, last: number, master: Node])[]

const LAST = 16_383
const log = { info: () => undefined, warn: () => undefined }

type ViewOf = (of: RedisEndpoint) => View | Promise<View>

function watchTopology(seeds: readonly RedisEndpoint[], viewOf: ViewOf) {
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

const endpoints = (...hosts: readonly string[]) => hosts.map((host) => ({ host, port: 6379 }))

/** Three masters of a third of the slots each. */
const ofMasters = (...hosts: readonly string[]): View =>
  hosts.map((host, at) => [
    Math.ceil((at * (LAST + 1)) / 3),
    Math.ceil(((at + 1) * (LAST + 1)) / 3) - 1,
    [host, 6379],
  ])
const BEFORE = ofMasters('a', 'b', 'lost')
const AFTER = ofMasters('a', 'b', 'promoted')
const [BEFORE_SEEN, AFTER_SEEN] = ['a:6379 b:6379 lost:6379', 'a:6379 b:6379 promoted:6379']

it('the next nodes decide if the first ones are tied', async () => {
  // The second seed is asked first.
  const seeds = endpoints('promoted', 'b', 'a', 'lost')
  const { seen } = watchTopology(seeds, ({ host }) => {
    if (host === 'lost') throw new Error('unreachable')
    return host === 'b' ? BEFORE : AFTER
  })
  await expect.poll(() => seen.at(0)).toBe(AFTER_SEEN)
})

it('a majority decides while another node hangs', async () => {
  let isLost = false
  const { topology, seen } = watchTopology(endpoints('a', 'b', 'lost'), ({ host }) => {
    if (isLost && host === 'lost') return new Promise<never>(() => undefined)
    return isLost ? AFTER : BEFORE
  })
  await expect.poll(() => seen.at(0)).toBe(BEFORE_SEEN)
  isLost = true
  topology.suspect()
  await expect.poll(() => seen.at(-1)).toBe(AFTER_SEEN)
})

it('without a majority, a redirect is kept, and the nodes are queried again', async () => {
  const views = new Map(['a', 'b', 'lost'].map((host) => [host, BEFORE]))
  let count = 0
  const { topology, seen } = watchTopology(endpoints('a', 'b', 'lost'), ({ host }) => {
    count += 1
    return views.get(host) ?? Promise.reject(new Error('unreachable'))
  })
  await expect.poll(() => seen.at(0)).toBe(BEFORE_SEEN)
  views.delete('lost')
  views.set('a', AFTER)
  const key = 'foo'
  expect(topology.ownerOf(key)?.host).toBe('lost')
  topology.moved(slotOf(key), topology.known({ host: 'promoted', port: 6379 }))
  const before = count
  await expect.poll(() => count).toBeGreaterThan(before + 12)
  expect(topology.ownerOf(key)?.host).toBe('promoted')
  expect(topology.owners().map(({ host }) => host)).toContain('lost')
  views.set('b', AFTER)
  await expect.poll(() => seen.at(-1)).toBe(AFTER_SEEN)
})

it('slots without an owner are known, and later failovers, once two nodes agree', async () => {
  let view = BEFORE
  const { topology, seen } = watchTopology(endpoints('a', 'b', 'lost'), ({ host }) => {
    if (host === 'lost' && view !== BEFORE) throw new Error('unreachable')
    return view
  })
  await expect.poll(() => seen.at(0)).toBe(BEFORE_SEEN)
  // The operator removed the lost shard: CLUSTER FORGET.
  view = BEFORE.slice(0, 2)
  topology.suspect()
  await expect.poll(() => seen.at(-1)).toBe('a:6379 b:6379')
  expect(topology.isComplete()).toBe(false)
  view = ofMasters('promoted', 'b', 'lost').slice(0, 2)
  topology.suspect()
  await expect.poll(() => seen.at(-1)).toBe('b:6379 promoted:6379')
  view = AFTER
  topology.suspect()
  await expect.poll(() => seen.at(-1)).toBe(AFTER_SEEN)
  expect(topology.isComplete()).toBe(true)
})

it('one node that knows fewer slots, while the others hang, changes nothing', async () => {
  let isJoining = false
  let count = 0
  const { topology, seen } = watchTopology(endpoints('a', 'b', 'lost'), ({ host }) => {
    count += 1
    if (!isJoining) return BEFORE
    return host === 'b' ? BEFORE.slice(0, 2) : Promise.reject(new Error('unreachable'))
  })
  await expect.poll(() => seen.at(0)).toBe(BEFORE_SEEN)
  isJoining = true
  for (let round = 0; round < 5; round += 1) {
    const before = count
    topology.suspect()
    await expect.poll(() => count).toBeGreaterThan(before)
  }
  expect(new Set(seen)).toEqual(new Set([BEFORE_SEEN]))
  expect(topology.failure).toMatchObject({ message: expect.stringMatching(/^CLUSTERDOWN/) })
})

it.each<[what: string, announced: Node, address: string]>([
  ['nothing', [null, 7000], 'seed:7000'],
  ['nothing, but its address', [null, 7000, 'id', ['ip', '10.0.0.7']], 'seed:7000'],
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

const redirectTo = (host: string, port: number) => ({ kind: 'MOVED', slot: 0, host, port }) as const

it.each<[what: string, redirect: ReturnType<typeof redirectTo>, target: string | undefined]>([
  ['a host', redirectTo('d', 7000), 'd:7000'],
  ['no host', redirectTo('', 7000), 'a:7000'],
  ['no host name, and the port of one other server', redirectTo('?', 6380), 'c:6380'],
  ['no host name, and the port of several servers', redirectTo('?', 6379), undefined],
  ['no host name, and an unknown port', redirectTo('?', 7000), undefined],
])('the target of a redirect with %s', async (_what, redirect, target) => {
  const view: View = [
    [0, 99, ['a', 6379]],
    [100, 199, ['b', 6379]],
    [200, LAST, ['c', 6380]],
  ]
  const { topology, seen } = watchTopology(endpoints('a'), () => view)
  await expect.poll(() => seen.length).toBeGreaterThan(0)
  const from = topology.known({ host: 'a', port: 6379 })
  const found = topology.targetOf(redirect, from)
  expect(found && addressOf(found)).toBe(target)
})

it('a redirect without a host name is never followed to the server that sent it', async () => {
  const { topology, seen } = watchTopology(endpoints('a'), () => [[0, LAST, ['a', 6379]]])
  await expect.poll(() => seen.length).toBeGreaterThan(0)
  const from = topology.known({ host: 'a', port: 6379 })
  expect(topology.targetOf(redirectTo('?', 6379), from)).toBeUndefined()
})

it('a server with a single slot has a tag for its health checks, which it keeps', () => {
  const found = new Set(Array.from({ length: 20_000 }, (_, at) => slotOf(`{health:${at}}`)))
  const rare = Array.from({ length: SLOT_COUNT }, (_, slot) => slot).filter(
    (each) => !found.has(each),
  )
  expect(rare.length).toBeGreaterThan(1000)
  const [server, other] = [
    { host: 'a', port: 1 },
    { host: 'b', port: 1 },
  ]
  for (const slot of rare.slice(0, 20)) {
    const topology = {
      ownerOf: (key: string) => (slotOf(key) === slot ? server : other),
      owners: () => [server, other],
    }
    const tag = healthTagOf(topology, server)
    expect(slotOf(tag)).toBe(slot)
    const ownerOf = vi.fn(topology.ownerOf)
    expect(healthTagOf({ ...topology, ownerOf }, server, tag)).toBe(tag)
    expect(ownerOf).toHaveBeenCalledOnce()
  }
})

it('no tag is searched for a server without slots', () => {
  const [server, other] = [
    { host: 'a', port: 1 },
    { host: 'b', port: 1 },
  ]
  const ownerOf = vi.fn(() => other)
  expect(healthTagOf({ ownerOf, owners: () => [other] }, server)).toBe('{health}')
  expect(ownerOf).toHaveBeenCalledOnce()
})
