/** How long an MCP session counts towards the limit of its caller. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { OpenedMcpSessions } from '../../src/mcp/legacy/opened-mcp-sessions.ts'
import { createLimits } from '../../src/mcp/limits.ts'
import { type ClusterNode, joinCluster } from '../../src/mcp/nodes/cluster-node.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { telemetry } from '../support/telemetry.ts'

const log = createLogger({ level: 'silent', name: 'test', version: '0', destination: 'stderr' })
const HOUR = 3600
const MONTH = 30 * 24 * HOUR

const store = createMemoryStore()
let node: ClusterNode
beforeEach(async () => {
  node = await joinCluster({
    store,
    streams: store.streams,
    log,
    monotonicNow: () => performance.now(),
  })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await node.close()
})

function opened(ttlSeconds: number) {
  const most = { maxStreams: 1, maxNodeStreams: 1, maxCalls: 1, maxConnections: 1 }
  const limits = createLimits(most, telemetry.metrics)
  const mcpSessions = new OpenedMcpSessions({ node, limits }, { ttlSeconds })
  return {
    open: (id: string) => mcpSessions.open('somebody', async () => ({ id })),
    used: (id: string) => mcpSessions.used(id),
    fail: (caller: string, create: () => Promise<{ readonly id: string }>) =>
      mcpSessions.open(caller, create),
  }
}

test('until it expires', async () => {
  const { open } = opened(HOUR)
  await open('one')
  vi.advanceTimersByTime((HOUR - 1) * 1000)
  await expect(open('two')).rejects.toMatchObject({ code: 'too_many_requests' })
  vi.advanceTimersByTime(1000)
  await open('two')
})

test('longer if it is used', async () => {
  const { open, used } = opened(HOUR)
  await open('one')
  vi.advanceTimersByTime((HOUR - 1) * 1000)
  used('one')
  used('unknown')
  vi.advanceTimersByTime((HOUR - 1) * 1000)
  await expect(open('two')).rejects.toMatchObject({ code: 'too_many_requests' })
  vi.advanceTimersByTime(1000)
  await open('two')
})

test('not at all if it could not be opened', async () => {
  const { open, fail } = opened(HOUR)
  const failing = fail('somebody', () => Promise.reject(new Error('unavailable')))
  await expect(failing).rejects.toThrow('unavailable')
  await open('one')
})

test('even if its TTL exceeds the maximum of a timer', async () => {
  const { open } = opened(MONTH)
  await open('one')
  vi.advanceTimersByTime(HOUR * 1000)
  await expect(open('two')).rejects.toMatchObject({ code: 'too_many_requests' })
})
