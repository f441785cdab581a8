/** Routes commands to the servers of a topology by key, and follows redirects (MOVED, ASK). */

import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisEndpoint } from '../config/redis-url.ts'
import { storeUnavailable } from '../errors.ts'
import { within } from './command-deadline.ts'
import type { RedisConnection } from './redis-connection.ts'
import { deadlineMissed, type Redirect, redirectOf, replyOf } from './redis-errors.ts'
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
  /** Increases in the order of the calls. */
  readonly number: number
}

/** A command for a key or slot of which an earlier one was refused and is being retried. */
interface Queued {
  readonly number: number
  readonly send: () => void
}

/** More redirects than this are a loop. */
const MAX_REDIRECTS = 8
/** Retry interval while a key migrates, or a replica is promoted. */
const RETRY_INTERVAL_MS = 20

/** Error replies of a server that may have been replaced by another. */
const REPLACED = /(?:^|-)(?:READONLY|MASTERDOWN|CLUSTERDOWN|LOADING)\b/

/** Error replies to commands that have not run, and may be sent again. */
const RETRYABLE = /(?:^|-)(?:MOVED|ASK|TRYAGAIN|READONLY)\b/

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
 * run, and is not idempotent. Retried commands for one key keep their order.
 */
class Router {
  readonly #topology: RedisTopology
  readonly #shards: RedisShards
  readonly #isCluster: boolean
  readonly #timeoutMs: number
  readonly #now: () => number
  /** By slot or key, while a refused command is retried. */
  readonly #queues = new Map<number | string, Queued[]>()
  #count = 0

  constructor({ topology, shards, isCluster, timeoutMs, monotonicNow }: RoutingOptions) {
    this.#topology = topology
    this.#shards = shards
    this.#isCluster = isCluster
    this.#timeoutMs = timeoutMs
    this.#now = monotonicNow
  }

  command(args: readonly string[], key: string | undefined): Promise<unknown> {
    this.#count += 1
    const number = this.#count
    const isQueued = this.#queues.size > 0 && this.#queues.has(this.#queueOf(key))
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
    if (!RETRYABLE.test(replyOf(error)?.message ?? '')) return this.#failed(error)
    if (this.#queues.has(this.#queueOf(work.key))) return this.#queued(work)
    const queue = this.#queueOf(work.key)
    this.#queues.set(queue, [])
    const following = this.#follow(error, from, work)
    // Replies come in order: with this one, all commands that were sent there before are answered.
    const { connection } = this.#shards.at(from)
    const answered = connection.command(['PING'], undefined, this.#timeoutMs)
    void Promise.allSettled([following, answered]).then(() => this.#release(queue))
    return following
  }

  #queued(work: Work): Promise<unknown> {
    return new Promise((resolve) => {
      const send = () => resolve(this.#resend(work))
      this.#queues.get(this.#queueOf(work.key))?.push({ number: work.number, send })
    })
  }

  /** Sends the queued commands in the order of the calls. */
  #release(queue: number | string): void {
    const queued = this.#queues.get(queue) ?? []
    this.#queues.delete(queue)
    for (const { send } of queued.sort((one, other) => one.number - other.number)) send()
  }

  #resend(work: Work): Promise<unknown> {
    if (this.#now() >= work.until) return Promise.reject(storeUnavailable(deadlineMissed()))
    const endpoint = work.key === undefined ? undefined : this.#topology.ownerOf(work.key)
    if (endpoint === undefined || this.#shards.at(endpoint).state !== 'ready') {
      return this.#start(work)
    }
    return this.#send(endpoint, work).catch((error) => this.#refused(error, endpoint, work))
  }

  #failed(error: unknown): Promise<never> {
    if (REPLACED.test(replyOf(error)?.message ?? '')) this.#topology.suspect()
    return Promise.reject(error)
  }

  /** Sends a command whose owner is not connected yet. */
  async #start(work: Work): Promise<unknown> {
    const endpoint = await this.#owner(work)
    return this.#send(endpoint, work).catch((error) => this.#refused(error, endpoint, work))
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
    let isAsking = false
    let redirects = 0
    while (redirects < MAX_REDIRECTS && this.#now() < work.until) {
      const redirect = redirectOf(error)
      const to = redirect && this.#topology.targetOf(redirect, at)
      if (redirect && to) {
        redirects += 1
        isAsking = redirect.kind === 'ASK'
        at = await this.#redirected(redirect, to, work)
      } else {
        at = await this.#retried(error, at, work)
      }
      if (at === undefined) break
      try {
        return await this.#send(at, work, isAsking)
      } catch (next) {
        error = next
      }
    }
    return this.#failed(error)
  }

  async #redirected(
    { kind, slot }: Redirect,
    to: RedisEndpoint,
    { until }: Work,
  ): Promise<RedisEndpoint> {
    if (kind === 'MOVED') this.#topology.moved(slot, to)
    else this.#shards.keep(to)
    await this.#connected(to, until)
    return to
  }

  /** Where to resend a command refused without a known target; undefined for a final failure. */
  async #retried(
    error: unknown,
    from: RedisEndpoint,
    work: Work,
  ): Promise<RedisEndpoint | undefined> {
    const { message = '' } = replyOf(error) ?? {}
    if (/(?:^|-)(?:TRYAGAIN|ASK)\b/.test(message)) {
      await sleep(RETRY_INTERVAL_MS)
      return from
    }
    if (!/(?:^|-)(?:READONLY|MOVED)\b/.test(message)) return undefined
    return (await this.#isReplaced(from, work)) ? this.#owner(work) : undefined
  }

  /** The server has the key no longer: waits until another is known to, within the deadline. */
  async #isReplaced(from: RedisEndpoint, { key = '', until }: Work): Promise<boolean> {
    this.#topology.suspect()
    while (this.#topology.ownerOf(key) === from) {
      if (this.#now() > until - RETRY_INTERVAL_MS) return false
      await sleep(RETRY_INTERVAL_MS)
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
