/** Heartbeats: a node counts as dead only if a store outage cannot explain the silence. */

import { afterEach, expect, test } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { startHeartbeat } from '../../src/mcp/nodes/heartbeat.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { recordingLogger } from '../../src/testing/recording-logger.ts'

const memory = createMemoryStore()
const { log } = recordingLogger()
const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

interface Conditions {
  readonly isAway?: () => boolean
  readonly time?: () => number
}

async function beating(id: string, { isAway = () => false, time = () => 0 }: Conditions = {}) {
  const set: typeof memory.set = (...given) =>
    isAway() ? Promise.reject(storeUnavailable(new Error('gone'))) : memory.set(...given)
  const heartbeat = await startHeartbeat({ store: { ...memory, set }, log, monotonicNow: time }, id)
  open.push(heartbeat.stop)
  return heartbeat
}

test('distinguishes running nodes from those that have left', async () => {
  const one = await beating('one')
  const other = await beating('other')
  expect([await one.isAlive('other'), await one.isAlive('nobody')]).toEqual([true, false])
  await other.forget()
  expect(await one.isAlive('other')).toBe(false)
})

test('after a failed heartbeat, does not treat silent nodes as dead for the TTL of a heartbeat', async () => {
  let now = 1000
  const node = await beating('third', { isAway: () => true, time: () => now })
  expect([await node.isAlive('third'), await node.isAlive('nobody')]).toEqual([true, true])
  now += 4999
  expect(await node.isAlive('nobody')).toBe(true)
  now += 1
  expect(await node.isAlive('nobody')).toBe(false)
})
