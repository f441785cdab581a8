/**
 * Fetches client ID metadata documents (draft-ietf-oauth-client-id-metadata-document) and the
 * clients' keys, with SSRF protection (`guardedRequest`).
 */

import type { StorageBudget } from '../store/storage-budget.ts'
import { createPublicResolver } from '../upstream/public-resolver.ts'
import { createClientKeys } from './client-keys.ts'
import {
  createDocumentCache,
  type DocumentCache,
  type DocumentCacheDeps,
  type Known,
  type Outcome,
} from './document-cache.ts'
import { type GuardOptions, guardedRequest } from './guarded-request.ts'

export interface DocumentFetchDeps extends DocumentCacheDeps {
  /** All addresses of a host name; the system's name servers by default. */
  readonly resolve?: GuardOptions['resolve']
  readonly proxyFor?: GuardOptions['proxyFor']
}

export interface DocumentFetchOptions {
  /** For development and tests: permits loopback addresses, and any port. */
  readonly allowLoopback?: boolean
  /** Trusted instead of the system's certificate authorities, in PEM. */
  readonly ca?: string | undefined
  /** Deadline for DNS, connection and response together; 3000 by default. */
  readonly timeoutMs?: number
}

/** Passed to `oidc-provider` as the feature's `allowFetch` and as its only `fetch`. */
export type DocumentFetch = ReturnType<typeof createDocumentFetch>

const MINUTE = 60
const HOUR = 60 * MINUTE
/** The draft's own recommendation, section 6.6. */
const MAX_BYTES = 5 * 1024
/** Bytes of UTF-8. */
const MAX_ADDRESS = 2048
const GOOD_SECONDS = { least: 5 * MINUTE, most: 24 * HOUR }
/** The draft, section 3: `https://` in lower case, and a path after the host. */
const WITH_PATH = /^https:\/\/[^/?#]+\//
/** Upper bound for concurrent requests, with headroom. */
const MOST_ALLOWED = 1000

export function createDocumentFetch(
  { store, now, proxyFor, resolve = createPublicResolver() }: DocumentFetchDeps,
  { allowLoopback = false, ca, timeoutMs = 3000 }: DocumentFetchOptions = {},
) {
  const guard = { resolve, proxyFor, allowLoopback, ca, timeoutMs, maxBytes: MAX_BYTES }
  const cache = createDocumentCache({ store, now })
  const allowed = createAllowedAddresses()

  return {
    /**
     * Whether the document may be fetched: at most one per request (its context), however many
     * clients the request names. Reads the cache; a miss is charged to `storage`.
     * @throws AppError `unavailable` when the store is unavailable or a miss exceeds the host's
     * rate limit; `too_many_requests` when `storage` is exhausted
     */
    allowFetch: createAllowFetch(cache, allowed),
    /**
     * The document, from the store or from its host. SSRF protection: serves only addresses that
     * `allowFetch` permitted. Of the URLs inside a document, `keysAt` fetches `jwks_uri`; no others
     * are fetched.
     * @throws Error unless a public host responds over https, in time and within the size limit
     */
    async fetch(given: string | URL | Request, init?: RequestInit): Promise<Response> {
      const address = String(given)
      if (!allowed.has(address)) throw new TypeError('Only metadata documents are fetched')
      const known = allowed.get(address)
      const outcome =
        known !== undefined && isCurrent(known.outcome, now())
          ? known.outcome
          : await cache.keep(address, await request(address, guard, now, init?.signal), known)
      return responseOf(outcome, now())
    },
    /**
     * Extends the TTL of the document of a client that has tokens, to serve the document while its
     * host is unreachable.
     * @throws AppError `unavailable` when the store is unavailable
     */
    keep: (clientId: string, seconds: number): Promise<void> => cache.prolong(clientId, seconds),
    keysAt: createClientKeys({ store, now }, guard).keysAt,
  }
}

function createAllowFetch(
  cache: DocumentCache,
  allowed: ReturnType<typeof createAllowedAddresses>,
) {
  const hasFetched = new WeakSet<object>()

  return async (context: object, clientId: string, storage?: StorageBudget): Promise<boolean> => {
    if (hasFetched.has(context)) return false
    if (!isDocumentAddress(clientId)) return false
    hasFetched.add(context)
    const known = await cache.lookUp(clientId, storage?.network)
    // Charges the maximum size before the fetch, since the real size is unknown.
    if (known === undefined) await storage?.spend(MAX_BYTES + Buffer.byteLength(clientId))
    allowed.add(clientId, known)
    return true
  }
}

/** Failures have no `goodUntil`: their TTL in the store is their freshness. */
function isCurrent(outcome: Outcome, nowMs: number): boolean {
  return !('goodUntil' in outcome) || outcome.goodUntil > nowMs
}

async function request(
  address: string,
  guard: Parameters<typeof guardedRequest>[1],
  now: () => number,
  signal?: AbortSignal | null,
): Promise<Outcome> {
  try {
    const { status, text, cacheControl } = await guardedRequest(address, guard, signal)
    if (status !== 200) return { status }
    if (!isDocumentOf(address, text)) return { failure: 'Not the metadata of this client' }
    return { text, goodUntil: now() + goodSeconds(cacheControl) * 1000 }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

function isDocumentAddress(clientId: string): boolean {
  if (Buffer.byteLength(clientId) > MAX_ADDRESS || !WITH_PATH.test(clientId)) return false
  return URL.canParse(clientId)
}

/** The latest addresses permitted by `allowFetch`, with their cache entries at that time. */
function createAllowedAddresses() {
  const allowed = new Map<string, Known | undefined>()
  return {
    has: (address: string) => allowed.has(address),
    get: (address: string) => allowed.get(address),
    add(address: string, known: Known | undefined): void {
      allowed.delete(address)
      allowed.set(address, known)
      const [oldest] = allowed.keys()
      if (allowed.size > MOST_ALLOWED && oldest !== undefined) allowed.delete(oldest)
    },
  }
}

/** @throws Error for a document that could not be fetched */
function responseOf(outcome: Outcome, now: number): Response {
  if ('failure' in outcome) throw new Error(outcome.failure)
  if ('status' in outcome) return new Response(null, { status: outcome.status })
  const secondsLeft = Math.max(0, Math.floor((outcome.goodUntil - now) / 1000))
  const headers = {
    'content-type': 'application/json',
    'cache-control': `max-age=${secondsLeft}`,
  }
  return new Response(outcome.text, { headers })
}

/**
 * Checks `client_id` only, which decides whether to cache the document; the provider validates it.
 */
function isDocumentOf(address: string, text: string): boolean {
  try {
    const document: unknown = JSON.parse(text)
    return (document as { client_id?: unknown } | null)?.client_id === address
  } catch {
    return false
  }
}

/** Freshness by RFC 9111, section 5.2.2, clamped; `no-store` and `no-cache` mean the minimum. */
function goodSeconds(cacheControl: string): number {
  const isKept = !/\b(?:no-store|no-cache)\b/i.test(cacheControl)
  const [, seconds] = (isKept && /\bmax-age="?(\d{1,9})/i.exec(cacheControl)) || []
  return Math.min(Math.max(Number(seconds ?? 0), GOOD_SECONDS.least), GOOD_SECONDS.most)
}
