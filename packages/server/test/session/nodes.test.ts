/** Sessions on several nodes: in memory, and on real Redis with and without JSON commands. */

import { describe } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { connectedStore } from '../store/redis-stores.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { nodesSuite, type OpenedStores } from './nodes-suite.ts'

const NODES = 3

async function openMemory(): Promise<OpenedStores> {
  const store = createMemoryStore()
  return { stores: Array.from({ length: NODES }, () => store), close: store.close }
}

async function openRedis(kind: RedisKind): Promise<OpenedStores> {
  const server = await startSuiteRedis(kind)
  const opening = Array.from({ length: NODES }, () => connectedStore(server.url))
  const stores = await Promise.all(opening)
  return {
    stores,
    async close() {
      await Promise.all(stores.map((store) => store.close()))
      await server.stop()
    },
  }
}

describe('sessions in memory', () => nodesSuite(openMemory))
describeRedis('plain', 'sessions in Redis', () => nodesSuite(() => openRedis('plain')))
describeRedis('json', 'sessions in Redis with JSON', () => nodesSuite(() => openRedis('json')))
