/** Routes commands to the servers of a topology by key, and keeps their order while one is retried. */

import type { RedisEndpoint } from '../config/redis-url.ts'
import { storeUnavailable } from '../errors.ts'
import type { RedisConnection } from './redis-connection.ts'
import { deadlineMissed, replyOf } from './redis-errors.ts'
import { RetryQueues } from './redis-retry-queues.ts'
import { canFollow, RedisRoutes, type RoutedCommand, type RoutesOptions } from './redis-routes.ts'
import { runScript } from './redis-scripts.ts'
import type { RedisShards } from './redis-shards.ts'
import { slotOf } from './redis-slots.ts'
import type { RedisTopology } from './redis-topology.ts'

export interface RoutingOptions extends RoutesOptions {
  /** Whether keys of different slots can be on different servers. */
  readonly isCluster: boolean
  /** Deadline of a command in milliseconds; all its redirects together have a second one. */
  readonly timeoutMs: number
}

interface Work extends RoutedCommand {
  /** Increases in the order of the calls. */
  readonly number: number
}

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

/** Commands for one key keep their order, although some are retried. */
class Router {
  readonly #topology: RedisTopology
  readonly #shards: RedisShards
  readonly #isCluster: boolean
  readonly #timeoutMs: number
  readonly #now: () => number
  readonly #routes: RedisRoutes
  /** By slot or key, while a refused command is retried. */
  readonly #queues = new RetryQueues()
  #count = 0

  constructor(options: RoutingOptions) {
    const { topology, shards, isCluster, timeoutMs, monotonicNow } = options
    this.#routes = new RedisRoutes(options)
    this.#topology = topology
    this.#shards = shards
    this.#isCluster = isCluster
    this.#timeoutMs = timeoutMs
    this.#now = monotonicNow
  }

  command(args: readonly string[], key: string | undefined): Promise<unknown> {
    this.#count += 1
    const number = this.#count
    const isQueued = !this.#queues.isEmpty() && this.#queues.has(this.#queueOf(key))
    if (isQueued) return this.#queued(this.#work(args, key, number))
    const endpoint = key === undefined ? this.#shards.ready() : this.#topology.ownerOf(key)
    const shard = endpoint && this.#shards.at(endpoint)
    if (endpoint === undefined || shard?.state !== 'ready') {
      return this.#start(this.#work(args, key, number))
    }
    return shard.connection.command(args).catch((error: unknown) => {
      if (replyOf(error) === undefined) throw error
      return this.#refused(error, endpoint, this.#work(args, key, number))
    })
  }

  #work(args: readonly string[], key: string | undefined, number: number): Work {
    return { args, key, number, until: this.#now() + this.#timeoutMs }
  }

  #queueOf(key = ''): number | string {
    return this.#isCluster ? slotOf(key) : key
  }

  /** Retries a refused command, or queues it behind an earlier one. */
  #refused(error: unknown, from: RedisEndpoint, work: Work): Promise<unknown> {
    if (!canFollow(error, work)) return this.#routes.failed(error)
    const queue = this.#queueOf(work.key)
    if (this.#queues.has(queue)) return this.#queued(work)
    this.#queues.open(queue)
    const following = this.#routes.follow(error, from, work)
    // Replies come in order: with this one, all commands that were sent there before are answered.
    const { connection } = this.#shards.at(from)
    const answered = connection.command(['PING'], undefined, this.#timeoutMs)
    void Promise.allSettled([following, answered]).then(() => this.#queues.release(queue))
    return following
  }

  #queued(work: Work): Promise<unknown> {
    return this.#queues.wait(this.#queueOf(work.key), work.number, () => this.#resend(work))
  }

  #resend(work: Work): Promise<unknown> {
    if (this.#now() >= work.until) return Promise.reject(storeUnavailable(deadlineMissed()))
    const endpoint = work.key === undefined ? undefined : this.#topology.ownerOf(work.key)
    if (endpoint === undefined || this.#shards.at(endpoint).state !== 'ready') {
      return this.#start(work)
    }
    return this.#routes.send(endpoint, work).catch((error) => this.#refused(error, endpoint, work))
  }

  /** Sends a command whose owner is not connected yet. */
  async #start(work: Work): Promise<unknown> {
    const endpoint = await this.#routes.ownerOf(work)
    return this.#routes.send(endpoint, work).catch((error) => this.#refused(error, endpoint, work))
  }
}
