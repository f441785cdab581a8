/** Changes that are announced while Redis is unavailable reach subscribers afterwards. */

import type { ServerEvent } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import { storeUnavailable } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { joinCluster } from '../../src/mcp/nodes/cluster-node.ts'
import { createEventBus } from '../../src/mcp/nodes/event-bus.ts'
import { createMemoryStore } from '../../src/store/memory.ts'

const CHANGE: ServerEvent = { kind: 'tools_list_changed' }

async function busOn(fails: () => boolean) {
  const lines: string[] = []
  const log = createLogger({
    ...{ level: 'warn', name: 'test', version: '1' },
    destination: { write: (line) => void lines.push(line) },
  })
  const store = createMemoryStore()
  const { append } = store.streams
  const streams = {
    ...store.streams,
    append: (...given: Parameters<typeof append>) =>
      fails() ? Promise.reject(storeUnavailable(new Error('gone'))) : append(...given),
  }
  const node = await joinCluster({ store, streams, log, monotonicNow: () => performance.now() })
  const received: ServerEvent[] = []
  const bus = createEventBus(node, log)
  bus.subscribe((event) => received.push(event))
  return { bus, received, lines, close: () => node.close() }
}

test('are received once it is available', async () => {
  let isUnavailable = true
  const { bus, received, close } = await busOn(() => isUnavailable)
  await bus.publish(CHANGE)
  expect(received).toEqual([])
  isUnavailable = false
  await expect.poll(() => received).toEqual([CHANGE])
  await close()
})

test('are bounded in number, and one that is too long is not retried', async () => {
  let isUnavailable = true
  const { bus, received, lines, close } = await busOn(() => isUnavailable)
  await bus.publish({ kind: 'resource_updated', uri: `test://${'x'.repeat(10_000)}` })
  expect(lines.at(-1)).toMatch(/"msg":"change not published"/)
  for (let count = 0; count < 600; count += 1) await bus.publish(CHANGE)
  expect(lines.at(-1)).toMatch(/"msg":"change not published"/)
  isUnavailable = false
  await expect.poll(() => received.length).toBe(500)
  await close()
})
