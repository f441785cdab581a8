/** The slot of a GET stream, while newer streams of its MCP session fail. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createStreamNotifier } from '../../src/mcp/legacy/event-stream.ts'
import { HeldStreams } from '../../src/mcp/legacy/held-streams.ts'
import { McpSessions } from '../../src/mcp/legacy/mcp-sessions.ts'
import { createLimits } from '../../src/mcp/limits.ts'
import { type ClusterNode, joinCluster } from '../../src/mcp/nodes/cluster-node.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { telemetry } from '../support/telemetry.ts'

const log = createLogger({ level: 'silent', name: 'test', version: '0', destination: 'stderr' })
const MOST = 2

const store = createMemoryStore()
const { streams } = store
let node: ClusterNode
beforeEach(async () => {
  node = await joinCluster({ store, streams, log, monotonicNow: () => performance.now() })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await node.close()
})

/** One MCP session, and GETs for it; `close` ends the responses so far. */
async function start() {
  const sessions = { touch: async () => true, inherits: async () => false }
  const times = { ttlSeconds: 60, unusedTtlSeconds: 60 }
  const mcpSessions = new McpSessions({ store, node, sessions, now: Date.now }, times)
  const mcpSession = await mcpSessions.create({ sessionId: 'ses_1', needsToken: true })
  const most = { maxStreams: MOST, maxNodeStreams: 100, maxCalls: 1, maxConnections: 1 }
  const limits = createLimits(most, telemetry.metrics)
  const heldStreams = new HeldStreams({
    ...{ store, node, streams, mcpSessions, limits, log, unusedTtlSeconds: 60 },
    notifier: createStreamNotifier(node),
    openStreams: { add: () => undefined, release: () => undefined },
  })
  const closers: (() => void)[] = []
  const onClose = (listener: () => void) => void closers.push(listener)
  const get = () => heldStreams.attach(mcpSession, undefined, { onClose, disconnect: () => {} })
  const close = () => {
    for (const each of closers.splice(0)) each()
  }
  return { get, close, limits }
}

test('is released once, however many of them failed at once', async () => {
  const { get, close, limits } = await start()
  const older = await get()
  const failing = vi.spyOn(store, 'patch').mockRejectedValue(new Error('unavailable'))
  const newer = await Promise.allSettled([get(), get(), get()])
  expect(newer.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(older.isOpen).toBe(true)
  failing.mockRestore()
  close()
  for (let count = 0; count < MOST; count += 1) limits.stream('ses_1', 'connection')
  expect(() => limits.stream('ses_1', 'connection')).toThrow('open streams')
})
