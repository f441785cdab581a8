/** What is known of client ID metadata documents, for all nodes: good ones outlive their hosts. */

import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Store } from '../store/port.ts'

/** What came of asking for a document. `goodUntil` is Unix time in milliseconds. */
export type Outcome =
  | { readonly text: string; readonly goodUntil: number }
  | { readonly status: number }
  | { readonly failure: string }

export interface DocumentCacheDeps {
  readonly store: Store
  /** Unix time in milliseconds. */
  now(): number
}

export interface Known {
  readonly outcome: Outcome
  /** How long a good document is kept after it was read, in seconds. */
  readonly keptSeconds?: number
}

export interface DocumentCache {
  /**
   * What is known of an address. Where nothing is, a request to its host is counted.
   * @throws AppError `unavailable` when the host was asked too often, or the store is away
   */
  lookUp(address: string): Promise<Known | undefined>
  /**
   * Keeps what came of asking (again). A document that was good once is served in place of a
   * failure (RFC 5861, section 4): its client must not lose its tokens because a host is away.
   * @returns what is to be served
   */
  keep(address: string, outcome: Outcome, before: Known | undefined): Promise<Outcome>
  /** Keeps a good document for so many seconds from now, and from each time it is read anew. */
  prolong(address: string, seconds: number): Promise<void>
}

const MINUTE = 60
/** Of a document whose client has no tokens: strangers can have us read any number of them. */
const UNUSED_SECONDS = 24 * 60 * MINUTE
const FAILED_SECONDS = 30
/** Nobody may have us knock at one host more often, under ever new paths. */
const FETCHES_A_MINUTE = 60

export function createDocumentCache({ store, now }: DocumentCacheDeps): DocumentCache {
  return {
    async lookUp(address) {
      const known = await store.get<{ outcome: Outcome; keptSeconds?: number }>(keyOf(address))
      if (known !== undefined) return known
      if (await mayFetchFrom(store, address)) return undefined
      // Not the client's fault, which would drop its credentials if it were told so.
      throw new AppError('unavailable', 'Too many documents of this host. Try again in a minute.', {
        retryAfterSeconds: 1,
      })
    },

    async keep(address, outcome, before) {
      const key = keyOf(address)
      // The answer is there: that it cannot be kept must not turn it into an unknown client.
      const attempt = (written: Promise<unknown>) => written.catch(() => undefined)
      if ('text' in outcome) {
        const { keptSeconds = UNUSED_SECONDS } = before ?? {}
        await attempt(store.set(key, { outcome, keptSeconds }, keptSeconds))
        return outcome
      }
      if (before !== undefined && 'text' in before.outcome && !isGone(outcome)) {
        const goodUntil = now() + FAILED_SECONDS * 1000
        await attempt(store.patch(key, { 'outcome.goodUntil': goodUntil }))
        return { ...before.outcome, goodUntil }
      }
      await attempt(store.set(key, { outcome }, FAILED_SECONDS))
      return outcome
    },

    async prolong(address, seconds) {
      await store.patch(keyOf(address), { keptSeconds: seconds }, { ttlSeconds: seconds })
    },
  }
}

/** Counts a request to the host of `address`; false when it was asked too often. */
export async function mayFetchFrom(store: Pick<Store, 'count'>, address: string): Promise<boolean> {
  const host = sha256(new URL(address).host)
  const { count } = await store.count(`client-document-fetches:{${host}}`, MINUTE)
  return count <= FETCHES_A_MINUTE
}

/** The host is there and says that this client is no more. */
function isGone(outcome: Outcome): boolean {
  return 'status' in outcome && [404, 410].includes(outcome.status)
}

function keyOf(address: string): string {
  return `client-document:{${sha256(address)}}`
}
