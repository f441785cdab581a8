/** Lookups of host names of Redis servers while the resolver hangs. */

import dns from 'node:dns'
import type { LookupFunction } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createRedisStore } from '../../src/store/redis.ts'
import { createLookup } from '../../src/store/redis-lookup.ts'

const LOG = { info: () => undefined, warn: () => undefined }
const ANY = { all: true }

type Callback = Parameters<LookupFunction>[2]

/** A resolver that answers when the test says so. */
function slowResolver() {
  const asked: { readonly name: string; readonly answer: Callback }[] = []
  const lookup = createLookup((name, _options, answer) => void asked.push({ name, answer }))
  const find = (name: string, options = ANY) => {
    const found = vi.fn()
    lookup(name, options, found)
    return found
  }
  return { asked, find, names: () => asked.map(({ name }) => name) }
}

it('asks for two names at a time, in order', () => {
  const { asked, find, names } = slowResolver()
  const found = ['a', 'b', 'c', 'd'].map((name) => find(name))
  expect(names()).toEqual(['a', 'b'])
  asked[1]?.answer(null, '192.0.2.2', 4)
  expect(names()).toEqual(['a', 'b', 'c'])
  expect(found.map(({ mock }) => mock.calls)).toEqual([[], [[null, '192.0.2.2', 4]], [], []])
  asked[0]?.answer(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '')
  expect(names()).toEqual(['a', 'b', 'c', 'd'])
  expect(found[0]).toHaveBeenCalledWith(expect.objectContaining({ code: 'ENOTFOUND' }), '')
})

it('asks once for a name with the same options, and again afterwards', () => {
  const { asked, find, names } = slowResolver()
  const found = [find('a'), find('a'), find('a', { all: false })]
  expect(names()).toEqual(['a', 'a'])
  asked[0]?.answer(null, [{ address: '192.0.2.1', family: 4 }])
  expect(found.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0])
  find('a')
  expect(names()).toEqual(['a', 'a', 'a'])
})

it.each([
  ['Sentinels', 'redis+sentinel://one.example,two.example,three.example/main'],
  ['a cluster', 'redis+cluster://one.example,two.example,three.example'],
  ['one server', 'redis://one.example'],
])('of %s take two threads at most, however long the resolver hangs', async (_what, url) => {
  const hanging: Callback[] = []
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
    hanging.push(args.at(-1) as Callback)
  }) as never)
  onTestFinished(() => {
    for (let next = hanging.pop(); next !== undefined; next = hanging.pop()) {
      next(new Error('no resolver'), '')
    }
    lookup.mockRestore()
  })
  const store = createRedisStore({ url, log: LOG })
  await sleep(4000)
  await store.close()
  expect(hanging.length).toBeLessThanOrEqual(2)
  expect(hanging.length).toBeGreaterThan(0)
})
