/** Discovers which server has which keys: the base class for Sentinel and Cluster. */

import type { RedisEndpoint } from '../config/redis-url.ts'
import type { Redirect } from './redis-errors.ts'
import { NO_HOST_NAME } from './redis-slots.ts'
import type { StoreLog } from './store-log.ts'

/** Sends one command to a server on a connection of its own. */
export type AskRedis = (endpoint: RedisEndpoint, args: readonly string[]) => Promise<unknown>

export interface TopologyOptions {
  /** The configured addresses. */
  readonly seeds: readonly RedisEndpoint[]
  readonly ask: AskRedis
  readonly log: StoreLog
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

/** Minimum interval between two discoveries. */
const DISCOVER_AT_MOST_EVERY_MS = 100
/** Interval of discoveries until one has succeeded. */
const RETRY_EVERY_MS = 250

/** Discovers in the background, again on suspicion, and periodically. */
export abstract class RedisTopology {
  protected readonly seeds: readonly RedisEndpoint[]
  protected readonly ask: AskRedis
  /** Why the last discovery failed; undefined after one that succeeded. */
  failure: unknown
  readonly #log: StoreLog
  readonly #now: () => number
  readonly #everyMs: number
  readonly #known = new Map<string, RedisEndpoint>()
  readonly #listeners = new Set<() => void>()
  #owners = ''
  #isDiscovering = false
  #isSuspect = false
  #hasWarned = false
  #ended = false
  #discoveredAt = Number.NEGATIVE_INFINITY
  #next: NodeJS.Timeout | undefined

  constructor({ seeds, ask, log, monotonicNow }: TopologyOptions, everyMs: number) {
    this.seeds = [...new Set(seeds.map((seed) => this.known(seed)))]
    this.ask = ask
    this.#log = log
    this.#now = monotonicNow
    this.#everyMs = everyMs
  }

  /** The server that has the key; undefined if it is unknown, or if no server has it. */
  abstract ownerOf(key: string): RedisEndpoint | undefined
  /** All servers that have keys. */
  abstract owners(): readonly RedisEndpoint[]
  /** Whether every key has an owner. */
  abstract isComplete(): boolean
  /** Queries servers and stores the owners. Rejects if no reply was usable. */
  protected abstract discover(): Promise<void>
  /** Handles MOVED: another server owns the slot. */
  abstract moved(slot: number, to: RedisEndpoint): void

  start(): void {
    void this.#run()
  }

  /** Schedules a discovery soon, after a failure. */
  suspect(): void {
    this.#isSuspect = true
    if (!this.#isDiscovering) this.#schedule()
  }

  /** Calls the listener after each change of the owners. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#ended = true
    clearTimeout(this.#next)
    this.#listeners.clear()
  }

  /** The same object for the same address, so that servers can be compared and looked up quickly. */
  known(endpoint: RedisEndpoint): RedisEndpoint {
    const address = addressOf(endpoint)
    const known = this.#known.get(address) ?? endpoint
    this.#known.set(address, known)
    return known
  }

  /**
   * The server that a redirect names. Without a host it is that of the replying server; without a
   * host name it may be any, and the port is all that identifies the server. Undefined if unknown.
   */
  targetOf({ host, port }: Redirect, from: RedisEndpoint): RedisEndpoint | undefined {
    if (host !== NO_HOST_NAME) return this.known({ host: host || from.host, port })
    const [owner, ...others] = this.owners().filter((each) => each.port === port)
    return others.length > 0 || owner === from ? undefined : owner
  }

  /** Subclasses call this when owners may have changed. */
  protected changed(): void {
    const owners = this.owners().map(addressOf).sort().join(' ')
    if (this.#ended) return
    if (owners !== this.#owners) {
      this.#owners = owners
      this.#log.info({ owners, isComplete: this.isComplete() }, 'Redis topology changed')
    }
    for (const listener of this.#listeners) listener()
  }

  #schedule(): void {
    if (this.#ended) return
    clearTimeout(this.#next)
    const idleMs = this.#owners === '' ? RETRY_EVERY_MS : this.#everyMs
    const afterMs = this.#isSuspect ? DISCOVER_AT_MOST_EVERY_MS : idleMs
    const waitMs = Math.max(0, this.#discoveredAt + afterMs - this.#now())
    this.#next = setTimeout(() => void this.#run(), waitMs).unref()
  }

  async #run(): Promise<void> {
    this.#isDiscovering = true
    this.#isSuspect = false
    try {
      await this.discover()
      this.failure = undefined
      this.#hasWarned = false
    } catch (error) {
      this.failure = error
      if (!this.#hasWarned && !this.#ended) {
        this.#hasWarned = true
        this.#log.warn({ err: error }, 'Redis topology discovery failed; retrying')
      }
    }
    this.#discoveredAt = this.#now()
    this.#isDiscovering = false
    this.#schedule()
  }
}

/** `host:port`, by which a server is known. */
export function addressOf({ host, port }: RedisEndpoint): string {
  return `${host}:${port}`
}
