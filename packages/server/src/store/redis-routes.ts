/** Finds the server that has a key, and follows redirects (MOVED, ASK). */

import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisEndpoint } from '../config/redis-url.ts'
import { storeUnavailable } from '../errors.ts'
import { within } from './command-deadline.ts'
import { type Redirect, redirectOf, replyOf } from './redis-errors.ts'
import { READ_JSON } from './redis-get-all.ts'
import type { RedisShard } from './redis-shard.ts'
import type { RedisShards } from './redis-shards.ts'
import type { RedisTopology } from './redis-topology.ts'

/** A command that is not sent yet, or that a server refused. */
export interface RoutedCommand {
  readonly args: readonly string[]
  readonly key: string | undefined
  /** Deadline, in monotonic milliseconds. */
  readonly until: number
}

export interface RoutesOptions {
  readonly topology: RedisTopology
  readonly shards: RedisShards
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

/** More redirects than this are a loop. */
const MAX_REDIRECTS = 8
/** Retry interval while a key migrates, or a replica is promoted. */
const TRY_AGAIN_AFTER_MS = 20

/** Error replies of a server that may have been replaced by another. */
const REPLACED = /(?:^|-)(?:READONLY|MASTERDOWN|CLUSTERDOWN|LOADING)\b/

/** Reads that their caller repeats key by key: TRYAGAIN may last until the slot has moved. */
function readsSeveral([name, script]: readonly string[]): boolean {
  return name === 'MGET' || script === READ_JSON.sha || script === READ_JSON.source
}

/** The command has not run, and may be sent again. */
const AGAIN = /(?:^|-)(?:MOVED|ASK|TRYAGAIN|READONLY)\b/

/** Whether a server refused the command in a way that `follow` can handle. */
export function canFollow(error: unknown, { args }: Pick<RoutedCommand, 'args'>): boolean {
  const { message = '' } = replyOf(error) ?? {}
  return AGAIN.test(message) && !(message.startsWith('TRYAGAIN') && readsSeveral(args))
}

/**
 * Resends only commands that a server refused. A command that was sent and got no reply may have
 * run, and is not idempotent.
 */
export class RedisRoutes {
  readonly #topology: RedisTopology
  readonly #shards: RedisShards
  readonly #now: () => number

  constructor({ topology, shards, monotonicNow }: RoutesOptions) {
    this.#topology = topology
    this.#shards = shards
    this.#now = monotonicNow
  }

  /**
   * The owner of the key, once connected. Waits for a first connection, such as to a promoted
   * replica, but not for an unreachable server.
   */
  async ownerOf({ key, until }: RoutedCommand): Promise<RedisEndpoint> {
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

  /** Rejects with the error of a command that is not sent again. */
  failed(error: unknown): Promise<never> {
    if (REPLACED.test(replyOf(error)?.message ?? '')) this.#topology.suspect()
    return Promise.reject(error)
  }

  /** Resends a refused command to the server that has the key, and returns the reply. */
  async follow(refused: unknown, from: RedisEndpoint, work: RoutedCommand): Promise<unknown> {
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
        const found = redirect?.kind === 'ASK' && (await this.#askEach(redirect, at, work))
        if (found) return found.reply
        at = await this.#retried(error, at, work)
      }
      if (at === undefined) break
      try {
        return await this.send(at, work, isAsking)
      } catch (next) {
        error = next
      }
    }
    return this.failed(error)
  }

  async #redirected(
    { kind, slot }: Redirect,
    to: RedisEndpoint,
    { until }: RoutedCommand,
  ): Promise<RedisEndpoint> {
    if (kind === 'MOVED') this.#topology.moved(slot, to)
    else this.#shards.keep(to)
    await this.#connected(to, until)
    return to
  }

  /**
   * Resends to each server that a redirect without a host name may mean: the one that imports the slot
   * accepts the command, the others refuse it.
   */
  async #askEach(
    { port }: Redirect,
    from: RedisEndpoint,
    work: RoutedCommand,
  ): Promise<{ readonly reply: unknown } | undefined> {
    for (const each of this.#topology.owners()) {
      if (each === from || each.port !== port || this.#shards.at(each).state !== 'ready') continue
      try {
        return { reply: await this.send(each, work, true) }
      } catch (error) {
        if (!canFollow(error, work)) throw error
      }
    }
    return undefined
  }

  /** Where to resend a command refused without a known target; undefined for a final failure. */
  async #retried(
    error: unknown,
    from: RedisEndpoint,
    work: RoutedCommand,
  ): Promise<RedisEndpoint | undefined> {
    const { message = '' } = replyOf(error) ?? {}
    if (!canFollow(error, work)) return undefined
    if (/(?:^|-)(?:TRYAGAIN|ASK)\b/.test(message)) {
      await sleep(TRY_AGAIN_AFTER_MS)
      return from
    }
    return (await this.#isReplaced(from, work)) ? this.ownerOf(work) : undefined
  }

  /** The server has the key no longer: waits until another is known to, within the deadline. */
  async #isReplaced(from: RedisEndpoint, { key = '', until }: RoutedCommand): Promise<boolean> {
    this.#topology.suspect()
    while (this.#topology.ownerOf(key) === from) {
      if (this.#now() > until - TRY_AGAIN_AFTER_MS) return false
      await sleep(TRY_AGAIN_AFTER_MS)
    }
    return true
  }

  send(at: RedisEndpoint, { args, key, until }: RoutedCommand, isAsking = false): Promise<unknown> {
    const { connection } = this.#shards.at(at)
    // Directly before the command, in the same pipeline.
    if (isAsking) connection.command(['ASKING']).catch(() => undefined)
    return connection.command(args, key, Math.max(1, until - this.#now()))
  }
}
