/** The current client, and its replacement when the peer is silent (half-open connection). */

import { createRedisClient, type RedisAddress, type RedisClient } from './redis-client.ts'
import { isReadOnly, isTimeout } from './redis-errors.ts'
import type { StoreLog } from './store-log.ts'

export interface RedisLinkOptions extends RedisAddress {
  /** Deadline of a command, in milliseconds. */
  readonly timeoutMs: number
  readonly log: StoreLog
  /** From 0 to 1. */
  readonly random: () => number
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
  /** Called each time the connection is ready. */
  readonly onReady: () => void
  /** Called each time the connection was lost or an attempt to make it failed. */
  readonly onLost?: (error: unknown) => void
  /** Called each time a command was not answered in time. */
  readonly onLate?: (error: unknown) => void
  /** Called each time a command was answered in time. */
  readonly onInTime?: () => void
}

export interface RedisLink {
  client(): RedisClient
  /** The client received a reply. */
  replied(from: RedisClient): void
  /** A command of the client failed. */
  failed(from: RedisClient, error: unknown): void
  /** Replaces the client immediately. */
  giveUp(from: RedisClient, reason: unknown): void
  /** Ends the link and returns the client, which the caller closes. */
  end(): RedisClient
}

/** After this many deadlines of silence the connection counts as dead rather than slow. */
const PATIENCE_DEADLINES = 3
/** Bounds reconnects to a server that stays a replica. */
const REPLACE_EVERY_MS = 1000

/**
 * Connects in the background. node-redis reconnects when a socket closes. A half-open socket (the host
 * vanished) stays open and silent; only a new client recovers from it.
 */
export function createRedisLink(options: RedisLinkOptions): RedisLink {
  const { timeoutMs, random, monotonicNow, onReady, onLost, onLate } = options
  const report = createStateReport(options.log)
  let ended = false
  /** When the current client started to wait for a reply without receiving any. */
  let silentSince: number | undefined
  let replacedAt = Number.NEGATIVE_INFINITY
  let client = connect()

  function connect(): RedisClient {
    const fresh = createRedisClient(options, timeoutMs, random)
    const whenCurrent = (listener: (error: unknown) => void) => (error: unknown) => {
      if (fresh === client && !ended) listener(error)
    }
    fresh.on('error', whenCurrent(lost))
    fresh.on('connect', () => {
      // A handshake can hang like any command.
      if (fresh === client && !ended) silentSince = monotonicNow()
      // node-redis does not destroy a socket that is still connecting, which would leak it.
      else fresh.destroy()
    })
    fresh.on('ready', whenCurrent(ready))
    // Rejects only when destroyed; each failed attempt emits an error event.
    fresh.connect().catch(() => undefined)
    return fresh
  }

  function lost(error: unknown): void {
    silentSince = undefined
    report.down(error)
    onLost?.(error)
  }

  function ready(): void {
    silentSince = undefined
    report.up()
    onReady()
  }

  /** With a cause, Redis counts as lost; without one, only its address is resolved again. */
  function replace(reason?: unknown): void {
    const old = client
    replacedAt = monotonicNow()
    silentSince = undefined
    client = connect()
    old.destroy()
    if (reason !== undefined) lost(reason)
  }

  return {
    client: () => client,
    replied(from) {
      if (from === client) silentSince = undefined
    },
    failed(from, error) {
      if (from !== client || ended) return
      const now = monotonicNow()
      if (isTimeout(error)) {
        silentSince ??= now - timeoutMs
        onLate?.(error)
      }
      const isDead = now - (silentSince ?? now) >= PATIENCE_DEADLINES * timeoutMs
      const isMoved = isReadOnly(error) && now - replacedAt >= REPLACE_EVERY_MS
      if (isDead || isMoved) replace(isDead ? error : undefined)
    },
    giveUp(from, reason) {
      if (from === client && !ended) replace(reason)
    },
    end() {
      ended = true
      return client
    },
  }
}

/** Logs each loss and each recovery once, however many attempts lie between. */
function createStateReport(log: StoreLog) {
  let state: 'unknown' | 'up' | 'down' = 'unknown'
  return {
    up(): void {
      if (state === 'up') return
      state = 'up'
      log.info({}, 'Redis connected')
    },
    down(error: unknown): void {
      if (state === 'down') return
      state = 'down'
      log.warn({ err: error }, 'Redis unreachable; reconnecting')
    },
  }
}
