/** The current client, and its replacement when the other end has gone without a word. */

import { createRedisClient, type RedisAddress, type RedisClient } from './redis-client.ts'
import { isReadOnly, isTimeout } from './redis-errors.ts'
import type { StoreLog } from './store-log.ts'

export interface RedisLinkOptions extends RedisAddress {
  /** Deadline of a command, in milliseconds. */
  readonly timeoutMs: number
  readonly log: StoreLog
  /** From 0 to 1. */
  readonly random: () => number
  /** Milliseconds that never go back. */
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
  /** Tells that the client was answered. */
  heard(from: RedisClient): void
  /** Tells that a command of the client failed. */
  failed(from: RedisClient, error: unknown): void
  /** Replaces the client at once, without patience. */
  giveUp(from: RedisClient, reason: unknown): void
  /** Ends it; the client is left to be closed. */
  end(): RedisClient
}

/** After so many deadlines of silence the connection is taken for dead, not for slow. */
const PATIENCE_DEADLINES = 3
/** A server that stays a replica must not make us reconnect for every command. */
const REPLACE_EVERY_MS = 1000

/**
 * Connects in the background. node-redis comes back by itself from every closed socket; from one
 * that stays open and silent (a host that vanished) only a new client helps.
 */
export function createRedisLink(options: RedisLinkOptions): RedisLink {
  const { timeoutMs, random, monotonicNow, onReady, onLost, onLate } = options
  const report = createStateReport(options.log)
  let ended = false
  /** Since when the current client has waited for an answer without hearing any. */
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
      // node-redis does not destroy a socket that is still connecting, and would keep it open.
      else fresh.destroy()
    })
    fresh.on('ready', whenCurrent(ready))
    // Fails only when destroyed; every attempt's failure comes as an error event.
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

  /** With a reason Redis counts as lost; without one its address is only resolved anew. */
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
    heard(from) {
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

/** One line each time Redis goes or comes back, however many attempts are made in between. */
function createStateReport(log: StoreLog) {
  let state: 'unknown' | 'up' | 'down' = 'unknown'
  return {
    up(): void {
      if (state === 'up') return
      state = 'up'
      log.info({}, 'Redis is connected.')
    },
    down(error: unknown): void {
      if (state === 'down') return
      state = 'down'
      log.warn({ err: error }, 'Redis is away; reconnecting until it is back.')
    },
  }
}
