/** The current client, and its replacement when the peer is silent (half-open connection). */

import {
  createRedisClient,
  type RedisAddress,
  type RedisClient,
  type RedisProtocol,
} from './redis-client.ts'
import {
  deadlineMissed,
  isHelloRefused,
  isReplica,
  isTimeout,
  isUnauthenticated,
  withoutArguments,
} from './redis-errors.ts'
import type { StoreLog } from './store-log.ts'

export interface RedisLinkOptions {
  /** Called for each new client. */
  readonly address: () => RedisAddress
  /** Whether the address always leads to the same server, which stays a replica if it is one. */
  readonly isFixed?: boolean
  /** Deadline of a command, in milliseconds. */
  readonly timeoutMs: number
  readonly log: StoreLog
  /** From 0 to 1. */
  readonly random: () => number
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
  /** Called each time the connection is ready. */
  readonly onReady: () => void
  /** Called each time the connection was lost, or could not be established. */
  readonly onLost?: (error: unknown) => void
  /** Called each time a command missed its deadline. */
  readonly onLate?: (error: unknown) => void
  /** Called when a command met its deadline after others had missed it. */
  readonly onInTime?: () => void
}

/** After this many deadlines of silence the connection counts as dead rather than slow. */
const PATIENCE_DEADLINES = 3
/** Bounds reconnects to a server that stays a replica, or refuses commands without a password. */
const REPLACE_EVERY_MS = 1000

/**
 * Connects in the background. node-redis reconnects when a socket closes. A half-open socket (the host
 * vanished) stays open and silent; only a new client recovers from it.
 */
export class RedisLink {
  /** The current one. */
  client: RedisClient
  /** Whether a command of the current client missed its deadline, and none has met it since. */
  isLate = false
  readonly #options: RedisLinkOptions
  readonly #report: ReturnType<typeof createStateReport>
  #ended = false
  /** Set once the server has refused HELLO. */
  #protocol: RedisProtocol | undefined
  /** When the current client started to wait for a reply without receiving any. */
  #silentSince: number | undefined
  #handshake: NodeJS.Timeout | undefined
  #replacedAt = Number.NEGATIVE_INFINITY

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.#report = createStateReport(options.log)
    this.client = this.#connect()
  }

  /** Call it for each reply while `isLate` is set. */
  replied(from: RedisClient, inTime: boolean): void {
    if (from !== this.client) return
    // Late replies count as well: the server is slow, not dead.
    this.#silentSince = undefined
    if (!inTime) return
    this.isLate = false
    this.#options.onInTime?.()
  }

  /** A command of the client failed. */
  failed(from: RedisClient, error: unknown): void {
    if (from !== this.client || this.#ended) return
    const { timeoutMs, monotonicNow, onLate, isFixed } = this.#options
    const now = monotonicNow()
    if (isTimeout(error)) {
      this.#silentSince ??= now - timeoutMs
      this.isLate = true
      onLate?.(error)
    }
    if (now - (this.#silentSince ?? now) >= PATIENCE_DEADLINES * timeoutMs) {
      this.#replace(error)
      return
    }
    if (now - this.#replacedAt < REPLACE_EVERY_MS) return
    // Its password may have changed since.
    if (isUnauthenticated(error)) this.#replace(error)
    else if (!isFixed && isReplica(error)) this.#replace()
  }

  /** Replaces the client immediately. */
  giveUp(from: RedisClient, reason: unknown): void {
    if (from === this.client && !this.#ended) this.#replace(reason)
  }

  /** Connects to the current address. */
  readdress(): void {
    if (!this.#ended) this.#replace()
  }

  /** Ends the link and returns the client, which the caller closes. */
  end(): RedisClient {
    this.#ended = true
    clearTimeout(this.#handshake)
    return this.client
  }

  #connect(): RedisClient {
    const { timeoutMs, random, onReady } = this.#options
    const address = this.#options.address()
    const fresh = createRedisClient(address, timeoutMs, random, this.#protocol)
    const isCurrent = () => fresh === this.client && !this.#ended
    fresh.on('error', (error: unknown) => {
      if (!isCurrent()) return
      if (address.protocol === undefined && this.#protocol === undefined && isHelloRefused(error)) {
        this.#protocol = 2
        this.#replace()
      } else this.#lost(error)
    })
    fresh.on('connect', () => {
      // node-redis does not destroy a socket that is still connecting, which would leak it.
      if (!isCurrent()) fresh.destroy()
      // A handshake can hang like any command, and no command may be sent until it has succeeded.
      else this.#limitHandshake(fresh)
    })
    fresh.on('ready', () => {
      if (!isCurrent()) return
      clearTimeout(this.#handshake)
      const { clientName } = address
      if (clientName !== undefined) {
        fresh.sendCommand(['CLIENT', 'SETNAME', clientName]).catch(() => undefined)
      }
      this.#report.up()
      onReady()
    })
    // Rejects only when destroyed; each failed attempt emits an error event.
    fresh.connect().catch(() => undefined)
    return fresh
  }

  #limitHandshake(client: RedisClient): void {
    clearTimeout(this.#handshake)
    const giveUp = () => this.giveUp(client, deadlineMissed())
    this.#handshake = setTimeout(giveUp, PATIENCE_DEADLINES * this.#options.timeoutMs).unref()
  }

  #lost(error: unknown): void {
    clearTimeout(this.#handshake)
    this.#silentSince = undefined
    const cause = withoutArguments(error)
    this.#report.down(cause)
    this.#options.onLost?.(cause)
  }

  /** With a cause, Redis counts as lost; without one, only its address is resolved again. */
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
