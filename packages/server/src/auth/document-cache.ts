/** Cache of client ID metadata documents, shared by all nodes, with stale-if-error (RFC 5861). */

import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Store } from '../store/port.ts'

/** The result of fetching a document. `goodUntil` ends its freshness: Unix time in milliseconds. */
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
  /** How long a valid document is kept after it was fetched, in seconds. */
  readonly keptSeconds?: number
}

const MINUTE = 60
/** TTL while the client has no tokens: unauthenticated callers can make us fetch any number. */
const UNUSED_SECONDS = 24 * 60 * MINUTE
const FAILED_SECONDS = 30
/** Rate limit per host: stops callers from flooding one host through ever new paths. */
const FETCHES_A_MINUTE = 60
/**
 * The first fetches of each network have a limit per host of their own, so that one network cannot
 * keep the clients of a host from everybody else (denial of service).
 */
const FIRST_OF_NETWORK = 5
const FIRST_FETCHES_A_MINUTE = 240

export type DocumentCache = ReturnType<typeof createDocumentCache>

export function createDocumentCache({ store, now }: DocumentCacheDeps) {
  return {
    /**
     * The cache entry of an address. A miss counts as one request of `network` to the address's
     * host.
     * @throws AppError `unavailable` above the host's rate limit, or when the store is unavailable
     */
    async lookUp(address: string, network?: string): Promise<Known | undefined> {
      const known = await store.get<{ outcome: Outcome; keptSeconds?: number }>(keyOf(address))
      if (known !== undefined) return known
      if (await mayFetchFrom(store, address, network)) return undefined
      // 503, not a client error: on `invalid_client` a client would drop its credentials.
      throw new AppError('unavailable', 'Too many documents of this host. Try again in a minute.', {
        retryAfterSeconds: 1,
      })
    },

    /**
     * Caches the result of a fetch. On a failure, serves the last valid document (stale-if-error,
     * RFC 5861, section 4): a client must not lose its tokens because its host is unreachable.
     * @returns the outcome to serve
     */
    async keep(address: string, outcome: Outcome, before: Known | undefined): Promise<Outcome> {
      const key = keyOf(address)
      // Ignores failed writes: a client whose document was fetched must not become unknown.
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

    /** Sets the TTL of a valid document, which each refetch renews (sliding expiration). */
    async prolong(address: string, seconds: number): Promise<void> {
      await store.patch(keyOf(address), { keptSeconds: seconds }, { ttlSeconds: seconds })
    },
  }
}

/**
 * Counts a request to the host of `address`; false when the host's rate limit is exceeded. `network`
 * is that of the caller, if it is counted.
 */
export async function mayFetchFrom(
  store: Pick<Store, 'count'>,
  address: string,
  network?: string,
): Promise<boolean> {
  const { host } = new URL(address)
  const isWithin = async (counted: string, most: number) => {
    const { count } = await store.count(`client-document-fetches:{${sha256(counted)}}`, MINUTE)
    return count <= most
  }
  const isFirst = network !== undefined && (await isWithin(`${host} ${network}`, FIRST_OF_NETWORK))
  if (isFirst && (await isWithin(`${host} first`, FIRST_FETCHES_A_MINUTE))) return true
  return isWithin(host, FETCHES_A_MINUTE)
}

/** Whether the host states that the client no longer exists. */
function isGone(outcome: Outcome): boolean {
  return 'status' in outcome && [404, 410].includes(outcome.status)
}

function keyOf(address: string): string {
  return `client-document:{${sha256(address)}}`
}
