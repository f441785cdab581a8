/** A call renews its session; the MCP session of a token only now and then. */

import { describe, expect, test, vi } from 'vitest'
import { McpSessions } from '../../src/mcp/legacy/mcp-sessions.ts'
import { SessionManager } from '../../src/session/manager.ts'
import { createMemoryStore } from '../../src/store/memory.ts'

const MINUTE = 60_000
const TIMES = { ttlSeconds: 3600, unusedTtlSeconds: 600 }

async function opened(needsToken: boolean) {
  let time = Date.UTC(2026, 0, 1)
  const now = () => time
  const store = createMemoryStore({ now })
  const sessions = new SessionManager({ store, now }, TIMES)
  const node = { send: async () => undefined }
  const mcpSessions = new McpSessions({ store, node, now, sessions }, TIMES)
  const owner = await sessions.create(needsToken ? 'token' : 'connection')
  const { id } = await mcpSessions.create({ sessionId: owner.id, needsToken })
  const patch = vi.spyOn(store, 'patch')
  return {
    patch,
    pass: (ms: number) => {
      time += ms
    },
    find: () => mcpSessions.peek(id),
    call: async () =>
      mcpSessions.use(await mcpSessions.peek(id), needsToken ? owner : undefined, true),
  }
}

describe.each([
  ['with a token', true, 4],
  ['without one', false, 60],
])('the MCP session of a caller %s', (_who, needsToken, mostWrites) => {
  test('is written seldom, and lives for the time to live after its last call', async () => {
    const { patch, pass, call, find } = await opened(needsToken)
    for (let minute = 0; minute < 60; minute += 1) {
      pass(MINUTE)
      await call()
    }
    expect(patch.mock.calls.length).toBeLessThanOrEqual(mostWrites)
    pass(59 * MINUTE - 1000)
    expect(await find()).toBeDefined()
    pass(16 * MINUTE)
    expect(await find()).toBeUndefined()
  })
})
