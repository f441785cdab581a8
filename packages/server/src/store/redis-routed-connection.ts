/** Routes commands to the servers of a topology by key, and follows redirects (MOVED, ASK). */

import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisEndpoint } from '../config/redis-url.ts'
import { storeUnavailable } from '../errors.ts'
import type { RedisConnection } from './redis-connection.ts'
import { type Redirect, redirectOf, replyOf } from './redis-errors.ts'
import { runScript } from './redis-scripts.ts'
import type { RedisShard } from './redis-shard.ts'
import type { RedisShards } from './redis-shards.ts'
import { slotOf } from './redis-slots.ts'
import type { RedisTopology } from './redis-topology.ts'

export interface RoutingOptions {
  readonly topology: RedisTopology
  readonly shards: RedisShards
  /** Whether keys of different slots can be on different servers. */
  readonly isCluster: boolean
  /** Deadline of a command in milliseconds; all its redirects together have a second one. */
  readonly timeoutMs: number
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

/** A command that is not sent yet, or that a server refused. */
interface Work {
  readonly args: readonly string[]
  readonly key: string | undefined
  /** Deadline, in monotonic milliseconds. */
  readonly until: number
}

const MAX_ATTEMPTS = 8
/** Retry interval while a key migrates, or a replica is promoted. */
const TRY_AGAIN_AFTER_MS = 20

/** Error replies of a server that may have been replaced by another. */
const REPLACED = /(?:^|-)(?:READONLY|MASTERDOWN|CLUSTERDOWN|LOADING)\b/

/** Connects in the background. Until connected, commands fail immediately. */
export function createRoutedConnection(options: RoutingOptions): RedisConnection {
  const { topology, shards, isCluster } = options
  const router = new Router(options)
  const command = (args: readonly string[], key?: string) => router.command(args, key)
  return {
    command,
    script: (script, keys, args) => runScript(command, script, keys, args),
    ...(isCluster && { slotOf }),
    async close() {
      topology.close()
      await shards.close()
    },
  }
}

/**
 * Retries only commands that a server refused. A command that was sent and got no reply may have
 * run, and is not idempotent.
 */
class Router {
  readonly #topology: RedisTopology
  readonly #shards: RedisShards
  readonly #timeoutMs: number
  readonly #now: () => number

  constructor({ topology, shards, timeoutMs, monotonicNow }: RoutingOptions) {
    this.#topology = topology
    this.#shards = shards
    this.#timeoutMs = timeoutMs
    this.#now = monotonicNow
  }

  command(args: readonly string[], key: string | undefined): Promise<unknown> {
    const endpoint = key === undefined ? this.#shards.ready() : this.#topology.ownerOf(key)
    const shard = endpoint && this.#shards.at(endpoint)
    if (endpoint === undefined || shard?.state !== 'ready')
      return this.#start(this.#work(args, key))
    return shard.connection.command(args).catch((error: unknown) => {
      if (replyOf(error) === undefined) throw error
      return this.#follow(error, endpoint, this.#work(args, key))
    })
  }

  #work(args: readonly string[], key: string | undefined): Work {
    return { args, key, until: this.#now() + this.#timeoutMs }
  }

  /** Sends a command whose owner is not connected yet. */
  async #start(work: Work): Promise<unknown> {
    const endpoint = await this.#owner(work)
    return this.#send(endpoint, work).catch((error: unknown) => {
      return this.#follow(error, endpoint, work)
    })
  }

  /**
   * The owner of the key, once connected. Waits for a first connection, such as to a promoted
   * replica, but not for an unreachable server.
   */
  async #owner({ key, until }: Work): Promise<RedisEndpoint> {
    const endpoint = key === undefined ? this.#topology.owners()[0] : this.#topology.ownerOf(key)
    if (endpoint === undefined) {
      this.#topology.suspect()
      throw storeUnavailable(this.#topology.failure ?? new Error('No Redis server has this key.'))
    }
    const { state } = await this.#connected(endpoint, until)
    if (state !== 'ready') throw storeUnavailable(new Error('The Redis server is not connected.'))
    return endpoint
  }

  async #connected(endpoint: RedisEndpoint, until: number): Promise<RedisShard> {
    const shard = this.#shards.at(endpoint)
    if (shard.state === 'connecting') await within(until - this.#now(), shard.settled)
    return shard
  }

  /** Resends a refused command to the server that has the key, and returns the reply. */
  async #follow(refused: unknown, from: RedisEndpoint, work: Work): Promise<unknown> {
    let error = refused
    let at: RedisEndpoint | undefined = from
    for (let attempt = 0; attempt < MAX_ATTEMPTS && this.#now() < work.until; attempt += 1) {
      const redirect = redirectOf(error)
      at = redirect
        ? await this.#redirected(redirect, at, work)
        : await this.#retried(error, at, work)
      if (at === undefined) break
      try {
        return await this.#send(at, work, redirect?.kind === 'ASK')
      } catch (next) {
        error = next
      }
    }
    if (REPLACED.test(replyOf(error)?.message ?? '')) this.#topology.suspect()
    throw error
  }

  async #redirected(
    { kind, slot, host, port }: Redirect,
    from: RedisEndpoint,
    { until }: Work,
  ): Promise<RedisEndpoint> {
    const to = this.#topology.known({ host: host === '' ? from.host : host, port })
    if (kind === 'MOVED') this.#topology.moved(slot, to)
    await this.#connected(to, until)
    return to
  }

  /** Where to resend a command refused without a redirect; undefined for a final failure. */
  async #retried(
    error: unknown,
    from: RedisEndpoint,
    work: Work,
  ): Promise<RedisEndpoint | undefined> {
    const { message = '' } = replyOf(error) ?? {}
    if (/(?:^|-)TRYAGAIN\b/.test(message)) {
      await sleep(TRY_AGAIN_AFTER_MS)
      return from
    }
    if (!/(?:^|-)READONLY\b/.test(message)) return undefined
    return (await this.#isReplaced(from, work)) ? this.#owner(work) : undefined
  }

  /** A master became a replica: waits until another server has the key, within the deadline. */
  async #isReplaced(from: RedisEndpoint, { key = '', until }: Work): Promise<boolean> {
    this.#topology.suspect()
    while (this.#topology.ownerOf(key) === from) {
      if (this.#now() > until - TRY_AGAIN_AFTER_MS) return false
      await sleep(TRY_AGAIN_AFTER_MS)
    }
    return true
  }

  #send(at: RedisEndpoint, { args, key, until }: Work, isAsking = false): Promise<unknown> {
    const { connection } = this.#shards.at(at)
    // Directly before the command, in the same pipeline.
    if (isAsking) connection.command(['ASKING']).catch(() => undefined)
    return connection.command(args, key, Math.max(1, until - this.#now()))
  }
}

/** Waits until the work has settled, for `ms` milliseconds at most. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const clock = new AbortController()
  const late = sleep(Math.max(0, ms), undefined, { signal: clock.signal }).catch(() => undefined)
  await Promise.race([work, late])
  clock.abort()
}
