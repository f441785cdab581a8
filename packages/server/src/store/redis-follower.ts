/** A connection of its own that waits for entries, and comes back by itself from every failure. */

import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorReply } from '@redis/client'
import { withDeadline } from './deadline.ts'
import { backoffMs, type RedisClient } from './redis-client.ts'
import { deadlineMissed, isTimeout } from './redis-errors.ts'
import { RedisLink, type RedisLinkOptions } from './redis-link.ts'
import { createStreamReader, type FollowedStream } from './redis-stream-reader.ts'
import type { StoreLog } from './store-log.ts'
import type { Follower, OnEntry } from './streams.ts'

export type RedisFollowerOptions = Omit<
  RedisLinkOptions,
  'onReady' | 'onLost' | 'onLate' | 'onInTime'
>

export interface RedisFollower extends Follower {
  /** Waits until it listens, one deadline at most. */
  listens(): Promise<void>
}

/** A hung server is noticed after this time and one deadline. */
const BLOCK_MS = 2000
/** How often to look whether a stream was lost and began anew, with smaller ids. */
const LOCATE_EVERY_MS = 2000

export function createRedisFollower(
  streams: readonly FollowedStream[],
  onEntry: OnEntry,
  options: RedisFollowerOptions,
): RedisFollower {
  const { timeoutMs, random, monotonicNow } = options
  const log = aboutStreams(options.log, streams)
  const reader = createStreamReader(streams, onEntry, log)
  const listening = new AbortController()
  let waking = new AbortController()
  let failures = 0
  let isRefused = false
  let ended = false
  const link = new RedisLink({ ...options, log, onReady: () => waking.abort() })
  const running = run()

  async function run(): Promise<void> {
    while (!ended) {
      waking = new AbortController()
      const client = link.client
      try {
        await readOn(client)
      } catch (error) {
        if (!ended) await recover(client, error)
      }
    }
  }

  /** Until a command fails: a connection that is silent for too long makes one fail. */
  async function readOn(client: RedisClient): Promise<void> {
    const send = (ms: number) => (args: readonly string[]) =>
      withDeadline<unknown>(client.sendCommand([...args]), ms, deadlineMissed)
    let locateAt = monotonicNow()
    while (!ended) {
      if (monotonicNow() >= locateAt) {
        await reader.locate(send(timeoutMs))
        locateAt = monotonicNow() + LOCATE_EVERY_MS
        listening.abort()
      }
      await reader.next(send(BLOCK_MS + timeoutMs), BLOCK_MS)
      failures = 0
      isRefused = false
    }
  }

  /** Waits until it is worth trying again. */
  async function recover(client: RedisClient, error: unknown): Promise<void> {
    if (isTimeout(error)) link.giveUp(client, error)
    else link.failed(client, error)
    if (error instanceof ErrorReply && !isRefused) {
      isRefused = true
      log.warn({ err: error }, 'Redis does not let streams be read; trying until it does.')
    }
    await pause(backoffMs(failures, random), waking.signal)
    failures += 1
  }

  return {
    listens: () => pause(timeoutMs, listening.signal),
    async close() {
      ended = true
      reader.stop()
      listening.abort()
      waking.abort()
      link.end().destroy()
      await running
    },
  }
}

/** Waits so long, or until it is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

function aboutStreams(log: StoreLog, streams: readonly FollowedStream[]): StoreLog {
  const about = { streams: streams.map(({ key }) => key) }
  return {
    info: (fields, message) => log.info({ ...fields, ...about }, message),
    warn: (fields, message) => log.warn({ ...fields, ...about }, message),
  }
}
