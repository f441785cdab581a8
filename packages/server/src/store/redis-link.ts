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
  /** Called when a command was answered in time, after others were not. */
  readonly onInTime?: () => void
}

/** After so many deadlines of silence the connection is taken for dead, not for slow. */
const PATIENCE_DEADLINES = 3
/** A server that stays a replica must not make us reconnect for every command. */
const REPLACE_EVERY_MS = 1000

/**
 * Connects in the background. node-redis comes back by itself from every closed socket; from one
 * that stays open and silent (a host that vanished) only a new client helps.
 */
export class RedisLink {
  /** The current one. */
  client: RedisClient
  /** Whether no command of the current client was answered in time since one was not. */
  isLate = false
  readonly #options: RedisLinkOptions
  readonly #report: ReturnType<typeof createStateReport>
  #ended = false
  /** Since when the current client has waited for an answer without hearing any. */
  #silentSince: number | undefined
  #replacedAt = Number.NEGATIVE_INFINITY

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.#report = createStateReport(options.log)
    this.client = this.#connect()
  }

  /** To be called with each answer while the client is late. */
  heard(from: RedisClient, inTime: boolean): void {
    if (from !== this.client) return
    // Late answers count as well: a slow server is not a dead one.
    this.#silentSince = undefined
    if (!inTime) return
    this.isLate = false
    this.#options.onInTime?.()
  }

  /** Tells that a command of the client failed. */
  failed(from: RedisClient, error: unknown): void {
    if (from !== this.client || this.#ended) return
    const { timeoutMs, monotonicNow, onLate } = this.#options
    const now = monotonicNow()
    if (isTimeout(error)) {
      this.#silentSince ??= now - timeoutMs
      this.isLate = true
      onLate?.(error)
    }
    const isDead = now - (this.#silentSince ?? now) >= PATIENCE_DEADLINES * timeoutMs
    const isMoved = isReadOnly(error) && now - this.#replacedAt >= REPLACE_EVERY_MS
    if (isDead || isMoved) this.#replace(isDead ? error : undefined)
  }

  /** Replaces the client at once, without patience. */
  giveUp(from: RedisClient, reason: unknown): void {
    if (from === this.client && !this.#ended) this.#replace(reason)
  }

  /** Ends it; the client is left to be closed. */
  end(): RedisClient {
    this.#ended = true
    return this.client
  }

  #connect(): RedisClient {
    const { timeoutMs, random, monotonicNow, onReady } = this.#options
    const fresh = createRedisClient(this.#options, timeoutMs, random)
    const isCurrent = () => fresh === this.client && !this.#ended
    fresh.on('error', (error: unknown) => {
      if (isCurrent()) this.#lost(error)
    })
    fresh.on('connect', () => {
      // A handshake can hang like any command.
      if (isCurrent()) this.#silentSince = monotonicNow()
      // node-redis does not destroy a socket that is still connecting, and would keep it open.
      else fresh.destroy()
    })
    fresh.on('ready', () => {
      if (!isCurrent()) return
      this.#silentSince = undefined
      this.#report.up()
      onReady()
    })
    // Fails only when destroyed; every attempt's failure comes as an error event.
    fresh.connect().catch(() => undefined)
    return fresh
  }

  #lost(error: unknown): void {
    this.#silentSince = undefined
    this.#report.down(error)
    this.#options.onLost?.(error)
  }

  /** With a reason Redis counts as lost; without one its address is only resolved anew. */
  #replace(reason?: unknown): void {
    const old = this.client
    this.#replacedAt = this.#options.monotonicNow()
    this.#silentSince = undefined
    this.isLate = false
    this.client = this.#connect()
    old.destroy()
    if (reason !== undefined) this.#lost(reason)
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
