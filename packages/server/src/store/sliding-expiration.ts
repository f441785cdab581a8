/**
 * Sliding expiration by a stamp in the document: what is used lives on, and is written once a minute at
 * most. Nothing is remembered of it here.
 */

import { AppError } from '../errors.ts'
import type { Changes, Store } from './port.ts'

/** What a document says of its use: Unix times in milliseconds. */
export interface Stamps {
  readonly lastActiveAt: number
  readonly expiresAt: number
}

export interface SlidingExpirationDeps {
  readonly store: Pick<Store, 'patch' | 'touch'>
  /** Unix time in milliseconds. */
  readonly now: () => number
}

/** Shorter times-to-live are stamped once in a quarter of them. */
const STAMP_EVERY_MS = 60_000

/** How long the store may have refused to write before somebody notices. */
const CHECK_EVERY_MS = 1000

export class SlidingExpiration {
  /** The time-to-live of keys: `expiresAt` and the key end together. */
  readonly keySeconds: number
  readonly #deps: SlidingExpirationDeps
  readonly #ttlMs: number
  readonly #stampEveryMs: number
  #checkedAt = Number.NEGATIVE_INFINITY
  #isRefused = false

  constructor(deps: SlidingExpirationDeps, ttlSeconds: number) {
    this.#deps = deps
    this.#ttlMs = ttlSeconds * 1000
    this.keySeconds = ttlSeconds
    this.#stampEveryMs = Math.min(STAMP_EVERY_MS, this.#ttlMs / 4)
  }

  /** The stamps of a document that is used now. */
  stamps(): Stamps {
    const lastActiveAt = this.#deps.now()
    return { lastActiveAt, expiresAt: lastActiveAt + this.#ttlMs }
  }

  /**
   * Whether a document has expired, though its key is still there: a copy in a replica or in a file may
   * outlive it. Nodes of the last release renew keys
   * alone, and stamp as we do; without stamps the key decides.
   */
  isOver({ lastActiveAt, expiresAt }: Partial<Stamps>): boolean {
    if (expiresAt === undefined || lastActiveAt === undefined) return false
    return Math.max(expiresAt, lastActiveAt + this.#ttlMs) <= this.#deps.now()
  }

  /**
   * Counts a use; the new stamps, where it was time for them. There is a promise only where there is
   * something to wait for.
   * @throws AppError `unavailable` while the store takes no writes: what it says may be old, and what
   * was ended be alive in it
   */
  use(key: string, { lastActiveAt = 0 }: Partial<Stamps>): Promise<Stamps | undefined> | undefined {
    const now = this.#deps.now()
    const checking = this.#check(key, now)
    const passed = now - lastActiveAt
    const isDue = passed > this.#stampEveryMs || passed < -this.#stampEveryMs
    return isDue ? this.#stamp(key, checking) : checking
  }

  async #stamp(key: string, checking: Promise<undefined> | undefined): Promise<Stamps> {
    await checking
    const stamps = this.stamps()
    const changes = stamps as unknown as Changes
    // A store that is full still reads, and keeps what is used.
    await this.#deps.store
      .patch(key, changes, { ttlSeconds: this.keySeconds })
      .catch(ignoreUnavailable)
    return stamps
  }

  /**
   * Whether the store takes writes, by one in a second on each node. Nobody waits for it unless it
   * failed the last time.
   */
  #check(key: string, now: number): Promise<undefined> | undefined {
    const passed = now - this.#checkedAt
    // A clock that was set back says nothing.
    if (!this.#isRefused && passed >= 0 && passed < CHECK_EVERY_MS) return undefined
    const touching = this.#touch(key, now)
    if (this.#isRefused) return touching
    touching.catch(() => undefined)
    return undefined
  }

  async #touch(key: string, now: number): Promise<undefined> {
    this.#checkedAt = now
    try {
      await this.#deps.store.touch(key, this.keySeconds)
      this.#isRefused = false
    } catch (error) {
      this.#isRefused = true
      throw error
    }
  }
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'unavailable')) throw error
}
