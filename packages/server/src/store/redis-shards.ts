/** One connection for each server of a topology, closed once the server has no more keys. */

import type { RedisEndpoint } from '../config/redis-url.ts'
import type { RedisShard } from './redis-shard.ts'
import type { RedisTopology } from './redis-topology.ts'

/**
 * Delay before closing: commands may be in flight, or still be redirected to the server. Then those
 * without a reply fail: a master that hung and was replaced would acknowledge writes that are lost.
 */
const GRACE_MS = 1000
/** A server that imports its first slot has no keys of its own yet. Longer than between discoveries. */
const IMPORT_MS = 10_000

export class RedisShards {
  readonly #topology: RedisTopology
  readonly #open: (endpoint: RedisEndpoint) => RedisShard
  readonly #shards = new Map<RedisEndpoint, RedisShard>()
  readonly #importing = new Map<RedisEndpoint, NodeJS.Timeout>()
  #sweeping: NodeJS.Timeout | undefined
  #closed = false

  /** @param open opens a connection, which then connects in the background */
  constructor(topology: RedisTopology, open: (endpoint: RedisEndpoint) => RedisShard) {
    this.#topology = topology
    this.#open = open
    topology.onChange(() => {
      for (const endpoint of topology.owners()) this.at(endpoint)
      this.#sweepLater()
    })
  }

  at(endpoint: RedisEndpoint): RedisShard {
    const known = this.#shards.get(endpoint)
    if (known !== undefined) return known
    const shard = this.#open(endpoint)
    if (this.#closed) void shard.close()
    else this.#shards.set(endpoint, shard)
    return shard
  }

  /** A server imports a slot (ASK): keeps its connection, also if it has no other slots. */
  keep(endpoint: RedisEndpoint): void {
    clearTimeout(this.#importing.get(endpoint))
    const ended = setTimeout(() => {
      this.#importing.delete(endpoint)
      this.#sweepLater()
    }, IMPORT_MS).unref()
    this.#importing.set(endpoint, ended)
  }

  owners() {
    return this.#topology.owners().map((endpoint) => [endpoint, this.at(endpoint)] as const)
  }

  /** Any owner that is connected. */
  ready(): RedisEndpoint | undefined {
    return this.#topology.owners().find((each) => this.#shards.get(each)?.state === 'ready')
  }

  readyCount(): number {
    return [...this.#shards.values()].filter(({ state }) => state === 'ready').length
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#sweeping)
    for (const timer of this.#importing.values()) clearTimeout(timer)
    await Promise.all([...this.#shards.values()].map((shard) => shard.close()))
  }

  #sweepLater(): void {
    if (this.#shards.size <= this.#topology.owners().length) return
    this.#sweeping ??= setTimeout(() => this.#sweep(), GRACE_MS).unref()
  }

  #sweep(): void {
    this.#sweeping = undefined
    const owners = new Set(this.#topology.owners())
    for (const [endpoint, shard] of this.#shards) {
      if (owners.has(endpoint) || this.#importing.has(endpoint)) continue
      this.#shards.delete(endpoint)
      void shard.close(0)
    }
  }
}
