/** The LRU cache of a process. */

import { expect, test } from 'vitest'
import { createLruCache } from '../../src/store/lru-cache.ts'

test('evicts the least recently used value', () => {
  const cache = createLruCache<number>(10)
  cache.set('used', 1)
  cache.set('unused', 2)
  for (let other = 0; other < 20; other += 1) {
    cache.set(`other ${other}`, other)
    expect(cache.get('used')).toBe(1)
  }
  expect(cache.get('unused')).toBeUndefined()
})

test('holds no more values than its bound', () => {
  const cache = createLruCache<number>(100)
  const keys = Array.from({ length: 1000 }, (_, key) => String(key))
  for (const key of keys) cache.set(key, 1)
  const held = keys.filter((key) => cache.get(key) !== undefined)
  expect(held.length).toBeGreaterThanOrEqual(50)
  expect(held.length).toBeLessThanOrEqual(100)
})

test('replaces the value of a key', () => {
  const cache = createLruCache<number>(4)
  for (const value of [1, 2, 3]) {
    cache.set('a', value)
    expect(cache.get('a')).toBe(value)
    cache.set(`other ${value}`, value)
  }
})
