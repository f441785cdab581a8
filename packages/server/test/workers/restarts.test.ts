/** Restarts of dead workers with back-off, by a clock that the test sets. */

import { expect, test } from 'vitest'
import { createRestarts } from '../../src/workers/restarts.ts'

/** Consecutive deaths, each with its time in seconds. */
function deaths(...all: readonly (readonly [worker: number, at: number, lived: number])[]) {
  let now = 0
  const restarts = createRestarts(() => now)
  return all.map(([worker, at, lived]) => {
    now = at * 1000
    return restarts.died(worker, lived * 1000)
  })
}

test('each death doubles the delay, up to ten seconds', () => {
  const rare = Array.from({ length: 9 }, (_, index) => [1, index * 8, 1] as const)
  expect(deaths(...rare)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
})

test('each worker has its own delay', () => {
  expect(deaths([1, 0, 1], [1, 1, 1], [2, 2, 1])).toEqual([100, 200, 100])
})

test('one that lived for ten seconds starts with the first delay', () => {
  expect(deaths([1, 0, 1], [1, 10, 9.9], [1, 20, 10], [1, 31, 1])).toEqual([100, 200, 100, 200])
})

test('five deaths of all workers within thirty seconds are a crash loop', () => {
  const each = [1, 2, 3, 1].map((worker, index) => [worker, index * 7, 100] as const)
  expect(deaths(...each, [2, 29.9, 100])[4]).toBe('crash loop')
  expect(deaths(...each, [2, 30, 100])[4]).toBe(100)
})
