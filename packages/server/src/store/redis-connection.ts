/** Commands to Redis, each with our own deadline. */

import { ErrorReply } from '@redis/client'
import { Deadline } from '../deadlines.ts'
import { withDeadline } from './command-deadline.ts'
import type { RedisClient } from './redis-client.ts'
import { deadlineMissed, toStoreError } from './redis-errors.ts'
import { RedisLink, type RedisLinkOptions } from './redis-link.ts'
import { type RedisScript, runScript } from './redis-scripts.ts'

/** Commands throw `AppError('unavailable')` when Redis is unreachable or misses the deadline. */
export interface RedisConnection {
  /** @param key one of the command's keys, which determines the server; any server if left out */
  command(args: readonly string[], key?: string): Promise<unknown>
  /** All keys must be in one slot: Redis Cluster rejects others. */
  script(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown>
  /** The hash slot of a key, if keys of different slots can be on different servers. */
  readonly slotOf?: (key: string) => number
  /** Waits for commands in flight, at most one deadline. */
  close(): Promise<void>
}

/** A connection to one server. */
export interface ServerConnection extends RedisConnection {
  command(args: readonly string[], key?: string, timeoutMs?: number): Promise<unknown>
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
export function createRedisConnection(options: RedisLinkOptions): ServerConnection {
  const { timeoutMs } = options
  const link = new RedisLink(options)

  function command(args: readonly string[], _key?: string, ms = timeoutMs): Promise<unknown> {
    return new Promise((resolve, reject) => {
      new Waiting(ms, link, resolve, reject).send(args)
    })
  }

  return {
    command,
    script: (script, keys, args) => runScript(command, script, keys, args),
    async close() {
      const client = link.end()
      if (client.isReady) {
        await withDeadline(client.close(), timeoutMs, deadlineMissed).catch(() => undefined)
      }
      client.destroy()
    },
  }
}
