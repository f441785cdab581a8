/** The exports of `@mcp-template/server/store`: the port, the drivers and the contract suite. */

export type { Checks, TestRunner } from './contract/runner.ts'
export type { OpenedStore } from './contract/store-nodes.ts'
export { testStore } from './contract/test-store.ts'
export { createMemoryStore, type MemoryStoreOptions } from './memory.ts'
export type * from './port.ts'
export { createRedisStore, type RedisStoreOptions } from './redis.ts'
export type { StoreLog } from './store-log.ts'
export type * from './streams.ts'
