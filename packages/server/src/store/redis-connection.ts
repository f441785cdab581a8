/** Commands to Redis, each with our own deadline. */

import { ErrorReply } from '@redis/client'
import { Deadline } from '../deadlines.ts'
import { withDeadline } from './deadline.ts'
import type { RedisClient } from './redis-client.ts'
import { deadlineMissed, toStoreError } from './redis-errors.ts'
import { RedisLink, type RedisLinkOptions } from './redis-link.ts'
import type { RedisScript } from './redis-scripts.ts'

/** Commands throw `AppError('unavailable')` when Redis is unreachable or misses the deadline. */
export interface RedisConnection {
  command(args: readonly string[]): Promise<unknown>
  /** Every key must lie in the same slot: Redis Cluster rejects others. */
  script(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown>
  /** Waits for commands in flight, at most one deadline. */
  close(): Promise<void>
}

/**
 * Replaces node-redis's own time-out, which creates an abort signal per command and does not cover
 * commands that were written to a hung server.
 */
const OWN_DEADLINE = { timeout: 0 }

/** A command in flight, until its reply or its deadline. */
class Waiting extends Deadline {
  readonly #link: RedisLink
  readonly #client: RedisClient
  readonly #resolve: (reply: unknown) => void
  readonly #reject: (error: unknown) => void
  #isLate = false

  constructor(
    timeoutMs: number,
    link: RedisLink,
    resolve: (reply: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    super(timeoutMs)
    this.#link = link
    this.#client = link.client
    this.#resolve = resolve
    this.#reject = reject
  }

  send(args: readonly string[]): void {
    const sent: Promise<unknown> = this.#client.sendCommand(args as string[], OWN_DEADLINE)
    sent.then(
      (reply) => this.#settle(reply, undefined),
      (error) => this.#settle(undefined, error),
    )
  }

  protected override due(): void {
    this.#isLate = true
    this.#fail(deadlineMissed())
  }

  #settle(reply: unknown, error: unknown): void {
    const isAnswer = error === undefined || error instanceof ErrorReply
    if (isAnswer && this.#link.isLate) this.#link.replied(this.#client, !this.#isLate)
    if (this.#isLate) return
    this.clear()
    if (error === undefined) this.#resolve(reply)
    else this.#fail(error)
  }

  #fail(error: unknown): void {
    this.#link.failed(this.#client, error)
    this.#reject(toStoreError(error))
  }
}

/** Connects in the background. Until connected, commands fail immediately. */
export function createRedisConnection(options: RedisLinkOptions): RedisConnection {
  const { timeoutMs } = options
  const link = new RedisLink(options)

  function command(args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      new Waiting(timeoutMs, link, resolve, reject).send(args)
    })
  }

  return {
    command,
    async script(script, keys, args) {
      const rest = [String(keys.length), ...keys, ...args]
      try {
        return await command(['EVALSHA', script.sha, ...rest])
      } catch (error) {
        if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error
        return await command(['EVAL', script.source, ...rest])
      }
    },
    async close() {
      const client = link.end()
      if (client.isReady) {
        await withDeadline(client.close(), timeoutMs, deadlineMissed).catch(() => undefined)
      }
      client.destroy()
    },
  }
}
