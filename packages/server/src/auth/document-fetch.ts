/** Fetches client ID metadata documents (draft-ietf-oauth-client-id-metadata-document) and their keys. */

import { lookup } from 'node:dns/promises'
import type { StorageBudget } from '../store/storage-budget.ts'
import { type ClientKeys, createClientKeys } from './client-keys.ts'
import {
  createDocumentCache,
  type DocumentCacheDeps,
  type Known,
  type Outcome,
} from './document-cache.ts'
import { type GuardOptions, guardedRequest } from './guarded-request.ts'

export interface DocumentFetchDeps extends DocumentCacheDeps {
  /** All addresses of a host name; the system's resolver by default. */
  readonly resolve?: GuardOptions['resolve']
  readonly proxyFor?: GuardOptions['proxyFor']
}

export interface DocumentFetchOptions {
  /** For development and tests: addresses of this machine, and any port. */
  readonly allowLoopback?: boolean
  /** Trusted instead of the usual certificate authorities, in PEM. */
  readonly ca?: string | undefined
  /** For name, connection and answer together; 3000 by default. */
  readonly timeoutMs?: number
}

/** What `oidc-provider` is given as `allowFetch` of the feature, and as its one `fetch`. */
export interface DocumentFetch extends ClientKeys {
  /**
   * Whether the document may be fetched: once in a request (its context), however many clients it
   * names. Looks at what is known of it already.
   * @throws AppError `unavailable` when the store is away, or the host was asked too often for
   * documents that nothing is known of; `too_many_requests` when `storage` has no room for one of them
   */
  allowFetch(context: object, clientId: string, storage?: StorageBudget): Promise<boolean>
  /**
   * The document, from the store or from its host. Serves only what `allowFetch` let pass: of the URLs
   * inside a document `keysAt` fetches `jwks_uri`, and nobody fetches others.
   * @throws Error for anything but a small answer in time from a public host over https
   */
  fetch(address: string | URL | Request, init?: RequestInit): Promise<Response>
  /**
   * Keeps the document of a client that has tokens for so many seconds from now, to be served when
   * its host is away.
   * @throws AppError `unavailable` when the store is away
   */
  keep(clientId: string, seconds: number): Promise<void>
}

const MINUTE = 60
const HOUR = 60 * MINUTE
/** The draft's own recommendation, section 6.6. */
const MAX_BYTES = 5 * 1024
/** Bytes of UTF-8. */
const MAX_ADDRESS = 2048
const GOOD_SECONDS = { least: 5 * MINUTE, most: 24 * HOUR }
/** The draft, section 3: https as it is usually spelled, and a path after the host. */
const WITH_PATH = /^https:\/\/[^/?#]+\//
/** Requests under way at a time, with room to spare. */
const MOST_ALLOWED = 1000

export function createDocumentFetch(
  {
    store,
    now,
    proxyFor,
    resolve = (hostname) => lookup(hostname, { all: true }),
  }: DocumentFetchDeps,
  { allowLoopback = false, ca, timeoutMs = 3000 }: DocumentFetchOptions = {},
): DocumentFetch {
  const guard = { resolve, proxyFor, allowLoopback, ca, timeoutMs, maxBytes: MAX_BYTES }
  const cache = createDocumentCache({ store, now })
  const hasFetched = new WeakSet<object>()
  /** Addresses that were let pass lately, with what was known of them then. */
  const allowed = new Map<string, Known | undefined>()

  /** Failures are kept no longer than they are to be believed. */
  function isCurrent(outcome: Outcome): boolean {
    return !('goodUntil' in outcome) || outcome.goodUntil > now()
  }

  async function ask(address: string, signal?: AbortSignal | null): Promise<Outcome> {
    try {
      const { status, text, cacheControl } = await guardedRequest(address, guard, signal)
      if (status !== 200) return { status }
      if (!isDocumentOf(address, text)) return { failure: 'Not the metadata of this client' }
      return { text, goodUntil: now() + goodSeconds(cacheControl) * 1000 }
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) }
    }
  }

  return {
    async allowFetch(context, clientId, storage) {
      if (hasFetched.has(context)) return false
      if (Buffer.byteLength(clientId) > MAX_ADDRESS || !WITH_PATH.test(clientId)) return false
      if (!URL.canParse(clientId)) return false
      hasFetched.add(context)
      const known = await cache.lookUp(clientId)
      // Before it is asked for, and so as long as it may be.
      if (known === undefined) await storage?.spend(MAX_BYTES + Buffer.byteLength(clientId))
      allowed.delete(clientId)
      allowed.set(clientId, known)
      const [oldest] = allowed.keys()
      if (allowed.size > MOST_ALLOWED && oldest !== undefined) allowed.delete(oldest)
      return true
    },

    async fetch(given, init) {
      const address = String(given)
      if (!allowed.has(address)) throw new TypeError('Only metadata documents are fetched')
      const known = allowed.get(address)
      const outcome =
        known !== undefined && isCurrent(known.outcome)
          ? known.outcome
          : await cache.keep(address, await ask(address, init?.signal), known)
      if ('failure' in outcome) throw new Error(outcome.failure)
      if ('status' in outcome) return new Response(null, { status: outcome.status })
      const secondsLeft = Math.max(0, Math.floor((outcome.goodUntil - now()) / 1000))
      const headers = {
        'content-type': 'application/json',
        'cache-control': `max-age=${secondsLeft}`,
      }
      return new Response(outcome.text, { headers })
    },

    keep: (clientId, seconds) => cache.prolong(clientId, seconds),
    keysAt: createClientKeys({ store, now }, guard).keysAt,
  }
}

/** Only what is worth keeping; the provider checks the rest of it. */
function isDocumentOf(address: string, text: string): boolean {
  try {
    const document: unknown = JSON.parse(text)
    return (document as { client_id?: unknown } | null)?.client_id === address
  } catch {
    return false
  }
}

/** RFC 9111, section 5.2.2, within bounds: `no-store` and the like mean the least. */
function goodSeconds(cacheControl: string): number {
  const isKept = !/\b(?:no-store|no-cache)\b/i.test(cacheControl)
  const [, seconds] = (isKept && /\bmax-age="?(\d{1,9})/i.exec(cacheControl)) || []
  return Math.min(Math.max(Number(seconds ?? 0), GOOD_SECONDS.least), GOOD_SECONDS.most)
}
