/** Commands to Redis, each with our own deadline. */

import { ErrorReply } from '@redis/client'
import { startDeadline, withDeadline } from './deadline.ts'
import { deadlineMissed, toStoreError } from './redis-errors.ts'
import { createRedisLink, type RedisLinkOptions } from './redis-link.ts'
import type { RedisScript } from './redis-scripts.ts'

/** Commands throw `AppError('unavailable')` when Redis is unreachable or misses the deadline. */
export interface RedisConnection {
  command(args: readonly string[]): Promise<unknown>
  /** Every key must lie in the same slot: Redis Cluster rejects others. */
  script(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown>
  /** Waits for commands in flight, at most one deadline. */
  close(): Promise<void>
}

/** Replaces node-redis's own time-out, which creates an abort signal per command. */
const OWN_DEADLINE = { timeout: 0 }

/** Connects in the background. Until connected, commands fail immediately. */
export function createRedisConnection(options: RedisLinkOptions): RedisConnection {
  const { timeoutMs, onInTime } = options
  const link = createRedisLink(options)

  /** One promise and one timer per command, since commands are on the hot path. */
  function command(args: readonly string[]): Promise<unknown> {
    const client = link.client()
    return new Promise((resolve, reject) => {
      let settled = false
      const settle = (how: () => void) => {
        clearTimeout(timer)
        if (!settled) how()
        settled = true
      }
      const fail = (error: unknown) => {
        link.failed(client, error)
        reject(toStoreError(error))
      }
      // node-redis's own time-out does not cover commands that were written to a hung server.
      const timer = startDeadline(timeoutMs, () => settle(() => fail(deadlineMissed())))
      client.sendCommand(args as string[], OWN_DEADLINE).then(
        (reply: unknown) => {
          // A late reply counts too: the server is slow, not dead.
          link.replied(client)
          settle(() => {
            onInTime?.()
            resolve(reply)
          })
        },
        (error: unknown) => {
          if (error instanceof ErrorReply) link.replied(client)
          settle(() => fail(error))
        },
      )
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
