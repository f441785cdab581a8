/** Fetches client ID metadata documents (draft-ietf-oauth-client-id-metadata-document), and no else. */

import { lookup } from 'node:dns/promises'
import { sha256 } from '../crypto/hash.ts'
import type { Store } from '../store/port.ts'
import { type GuardOptions, guardedRequest } from './guarded-request.ts'

export interface DocumentFetchDeps {
  readonly store: Store
  /** Unix time in milliseconds. */
  now(): number
  /** All addresses of a host name; the system's resolver by default. */
  readonly resolve?: GuardOptions['resolve']
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
export interface DocumentFetch {
  /**
   * Whether the document may be fetched: once in a request (its context), however many clients it
   * names. Looks at what is known of it already.
   * @throws AppError `unavailable` when the store is away
   */
  allowFetch(context: object, clientId: string): Promise<boolean>
  /**
   * The document, from the store or from its host. Serves only what `allowFetch` let pass: the URLs
   * inside a document (`jwks_uri`, `logo_uri` and others) are never fetched.
   * @throws Error for anything but a small answer in time from a public host over https
   */
  fetch(address: string | URL | Request, init?: RequestInit): Promise<Response>
}

type Outcome =
  | { readonly text: string; readonly goodUntil: number }
  | { readonly status: number }
  | { readonly failure: string }

const MINUTE = 60
const HOUR = 60 * MINUTE
/** The draft's own recommendation, section 6.6. */
const MAX_BYTES = 5 * 1024
const MAX_ADDRESS = 2048
const GOOD_SECONDS = { least: 5 * MINUTE, most: 24 * HOUR }
const FAILED_SECONDS = 30
/** Nobody may have us knock at one host more often, under ever new paths. */
const FETCHES_A_MINUTE = 60
/** Requests under way at a time, with room to spare. */
const MOST_ALLOWED = 1000

export function createDocumentFetch(
  { store, now, resolve = (hostname) => lookup(hostname, { all: true }) }: DocumentFetchDeps,
  { allowLoopback = false, ca, timeoutMs = 3000 }: DocumentFetchOptions = {},
): DocumentFetch {
  const guard = { resolve, allowLoopback, ca, timeoutMs, maxBytes: MAX_BYTES }
  const hasFetched = new WeakSet<object>()
  /** Addresses that were let pass lately, with what was known of them then. */
  const allowed = new Map<string, Outcome | undefined>()

  /** What is known of an address, a new request to its host being counted where nothing is. */
  async function lookInto(address: string): Promise<Outcome | undefined> {
    const known = await store.get<{ outcome: Outcome }>(keyOf(address))
    if (known !== undefined) return known.outcome
    const host = sha256(new URL(address).host)
    const fetches = await store.count(`client-document-fetches:{${host}}`, MINUTE)
    return fetches > FETCHES_A_MINUTE ? { failure: 'Too many documents of this host' } : undefined
  }

  async function fetchAnew(address: string, signal?: AbortSignal | null): Promise<Outcome> {
    const outcome = await ask(address, signal)
    const ttl = 'goodUntil' in outcome ? (outcome.goodUntil - now()) / 1000 : FAILED_SECONDS
    // The answer is there: that it cannot be kept must not turn it into an unknown client.
    await store.set(keyOf(address), { outcome }, Math.max(1, ttl)).catch(() => undefined)
    return outcome
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
    async allowFetch(context, clientId) {
      if (hasFetched.has(context)) return false
      if (clientId.length > MAX_ADDRESS || !URL.canParse(clientId)) return false
      hasFetched.add(context)
      const known = await lookInto(clientId)
      allowed.delete(clientId)
      allowed.set(clientId, known)
      const [oldest] = allowed.keys()
      if (allowed.size > MOST_ALLOWED && oldest !== undefined) allowed.delete(oldest)
      return true
    },

    async fetch(given, init) {
      const address = String(given)
      if (!allowed.has(address)) throw new TypeError('Only metadata documents are fetched')
      const outcome = allowed.get(address) ?? (await fetchAnew(address, init?.signal))
      if ('failure' in outcome) throw new Error(outcome.failure)
      if ('status' in outcome) return new Response(null, { status: outcome.status })
      const secondsLeft = Math.max(0, Math.floor((outcome.goodUntil - now()) / 1000))
      const headers = {
        'content-type': 'application/json',
        'cache-control': `max-age=${secondsLeft}`,
      }
      return new Response(outcome.text, { headers })
    },
  }
}

function keyOf(address: string): string {
  return `client-document:{${sha256(address)}}`
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
