/**
 * Sliding expiration of sessions and MCP sessions: renews the TTL on use. The stamp in the document
 * limits the renewals, by default to one a minute; the process keeps no state of a document but the
 * renewal in progress.
 */

import { AppError } from '../errors.ts'
import type { Changes, Store } from './port.ts'

/** When a document was used last, and when it expires: Unix times in milliseconds. */
export interface Stamps {
  readonly lastActiveAt: number
  readonly expiresAt: number
}

export interface SlidingExpirationDeps {
  readonly store: Pick<Store, 'patch' | 'touch'>
  /** Unix time in milliseconds. */
  readonly now: () => number
}

/** Default interval of renewals; a quarter of the TTL if that is shorter. */
const STAMP_EVERY_MS = 60_000

/** A store that refuses writes is detected within this time. */
const CHECK_EVERY_MS = 1000

export class SlidingExpiration {
  /** The time-to-live of keys: with the default interval, `expiresAt` and the key end together. */
  readonly keySeconds: number
  readonly #deps: SlidingExpirationDeps
  readonly #ttlMs: number
  readonly #stampEveryMs: number
  /**
   * Coalesces the renewals of concurrent uses: of several writers of one document, a store without
   * JSON commands accepts one at a time.
   */
  readonly #renewing = new Map<string, Promise<Stamps>>()
  #checkedAt = Number.NEGATIVE_INFINITY
  #isRefused = false

  /** Of a longer interval, all but a minute is added to the TTL of the key. */
  constructor(deps: SlidingExpirationDeps, ttlSeconds: number, stampEveryMs = STAMP_EVERY_MS) {
    this.#deps = deps
    this.#ttlMs = ttlSeconds * 1000
    this.#stampEveryMs = Math.min(stampEveryMs, this.#ttlMs / 4)
    const moreMs = Math.max(0, this.#stampEveryMs - STAMP_EVERY_MS)
    this.keySeconds = ttlSeconds + Math.ceil(moreMs / 1000)
  }

  /** The stamps of a document that is used now. */
  stamps(): Stamps {
    const lastActiveAt = this.#deps.now()
    return { lastActiveAt, expiresAt: lastActiveAt + this.#ttlMs }
  }

  /**
   * Whether a document has expired although its key still exists: a copy in a replica or in a file
   * may outlive it. Without stamps the TTL of the key decides.
   */
  isOver({ lastActiveAt, expiresAt }: Partial<Stamps>): boolean {
    if (expiresAt === undefined || lastActiveAt === undefined) return false
    return Math.max(expiresAt, lastActiveAt + this.#ttlMs) <= this.#deps.now()
  }

  /**
   * Counts a use, and renews the TTL if due; resolves with the new stamps. Returns no promise if
   * there is nothing to wait for.
   * @throws AppError `unavailable` while the store refuses writes: its data may be outdated, and an
   * ended session alive in it
   */
  use(key: string, { lastActiveAt = 0 }: Partial<Stamps>): Promise<Stamps | undefined> | undefined {
    const now = this.#deps.now()
    const passed = now - lastActiveAt
    const isDue = passed > this.#stampEveryMs || passed < -this.#stampEveryMs
    const renewing = isDue ? this.#renewing.get(key) : undefined
    if (renewing !== undefined) return renewing
    const checking = this.#check(key, now)
    return isDue ? this.#renew(key, checking) : checking
  }

  #renew(key: string, checking: Promise<undefined> | undefined): Promise<Stamps> {
    const renewing = this.#stamp(key, checking).finally(() => this.#renewing.delete(key))
    this.#renewing.set(key, renewing)
    return renewing
  }

  async #stamp(key: string, checking: Promise<undefined> | undefined): Promise<Stamps> {
    await checking
    const stamps = this.stamps()
    const changes = stamps as unknown as Changes
    // A full store still serves reads: ignores that the renewal failed.
    await this.#deps.store
      .patch(key, changes, { ttlSeconds: this.keySeconds })
      .catch(ignoreUnavailable)
    return stamps
  }

  /**
   * Checks with one write a second on each node whether the store accepts writes. Callers wait for
   * the check only while it fails.
   */
  #check(key: string, now: number): Promise<undefined> | undefined {
    const passed = now - this.#checkedAt
    // Checks again if the clock was set back.
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
