/** The LRU cache. */

import { expect, test } from 'vitest'
import { createRecent } from '../../src/store/recent.ts'

test('used values stay, unused ones are evicted', () => {
  const recent = createRecent<number>(10)
  recent.set('used', 1)
  recent.set('unused', 2)
  for (let other = 0; other < 20; other += 1) {
    recent.set(`other ${other}`, other)
    expect(recent.get('used')).toBe(1)
  }
  expect(recent.get('unused')).toBeUndefined()
})

test('holds no more than its limit', () => {
  const recent = createRecent<number>(100)
  const keys = Array.from({ length: 1000 }, (_, key) => String(key))
  for (const key of keys) recent.set(key, 1)
  const held = keys.filter((key) => recent.get(key) !== undefined)
  expect(held.length).toBeGreaterThanOrEqual(50)
  expect(held.length).toBeLessThanOrEqual(100)
})

test('a key that is set again has its new value', () => {
  const recent = createRecent<number>(4)
  for (const value of [1, 2, 3]) {
    recent.set('a', value)
    expect(recent.get('a')).toBe(value)
    recent.set(`other ${value}`, value)
  }
})
