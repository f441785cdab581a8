/** Token introspection at the external issuer (RFC 7662), with an LRU cache of the responses. */

import { z } from 'zod'
import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createLruCache } from '../store/lru-cache.ts'
import { clientAuthentication } from '../upstream/client-authentication.ts'
import { createProviderFetch } from '../upstream/provider-fetch.ts'
import { issuerUnavailable, type ReadIssuerMetadata } from './issuer-metadata.ts'
import { TokenRefused } from './token-rules.ts'

export interface IntrospectionOptions {
  /** The issuer's metadata decides if absent. */
  readonly endpoint?: string | undefined
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly clientAuth: 'basic' | 'basic-raw' | 'post'
  /** Permits plain http to loopback addresses, for development. */
  readonly allowInsecureHttp: boolean
}

export interface IntrospectionDeps {
  readonly issuer: string
  readonly readMetadata: ReadIssuerMetadata
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly log: Logger
}

type Answer = Readonly<Record<string, unknown>>

/**
 * The introspection response for an active token. `addressOf` returns the network that the limit of
 * unknown tokens counts.
 * @throws TokenRefused for an inactive token; AppError `unavailable`, `too_many_requests`
 */
export type Introspect = (token: string, addressOf: () => string) => Promise<Answer>

const TIMEOUT_MS = 3000
const ACTIVE_MS = 60_000
const INACTIVE_MS = 10_000
const MOST_KEPT = 10_000
const LONGEST_ANSWER = 32 * 1024
/** Rate limit: unknown tokens per address and minute. */
const MOST_UNKNOWN = 60
const MINUTE_MS = 60_000

const answerForm = z.looseObject({ active: z.boolean() })
/** `token_type` of access tokens: introspection reports refresh tokens as active as well. */
const TOKEN_TYPE = /^(bearer|access_token)$/i

export function createIntrospection(
  options: IntrospectionOptions,
  deps: IntrospectionDeps,
): Introspect {
  const { now, log } = deps
  /** LRU cache by the token's hash; the answer is undefined for an inactive token. */
  const kept = createLruCache<{ readonly answer: Answer | undefined; readonly until: number }>(
    MOST_KEPT,
  )
  const asking = new Map<string, Promise<Answer | undefined>>()
  const unknown = createUnknownLimit(now)
  const ask = createQuestion(options, deps)

  async function askOnce(token: string, key: string, address: string) {
    unknown.spend(address)
    const answer = await ask(token).catch((error: unknown) => {
      unknown.giveBack(address)
      log.warn({ err: error }, 'introspection failed')
      throw issuerUnavailable(error)
    })
    if (answer !== undefined) unknown.giveBack(address)
    const until = now() + (answer === undefined ? INACTIVE_MS : ACTIVE_MS)
    kept.set(key, { answer, until })
    return answer
  }

  return async (token, addressOf) => {
    const key = sha256(token)
    const last = kept.get(key)
    if (last !== undefined && now() < last.until) return active(last.answer)
    const answer =
      asking.get(key) ?? askOnce(token, key, addressOf()).finally(() => asking.delete(key))
    asking.set(key, answer)
    return active(await answer)
  }
}

function active(answer: Answer | undefined): Answer {
  if (answer === undefined) throw new TokenRefused('introspection says that it is not active')
  const { token_type: type } = answer
  if (typeof type === 'string' && !TOKEN_TYPE.test(type)) {
    throw new TokenRefused('token_type is not that of access tokens')
  }
  return answer
}

/** One introspection request; undefined for an inactive token. Errors propagate unchanged. */
function createQuestion(options: IntrospectionOptions, deps: IntrospectionDeps) {
  const { clientId, allowInsecureHttp } = options
  const authenticate = clientAuthentication(options)

  return async (token: string): Promise<Answer | undefined> => {
    const endpoint = options.endpoint ?? (await deps.readMetadata()).introspection_endpoint
    if (endpoint === undefined) {
      throw new TypeError(
        'The metadata has no introspection_endpoint: set OAUTH_INTROSPECTION_ENDPOINT',
      )
    }
    const body = new URLSearchParams({ token, token_type_hint: 'access_token' })
    const headers = new Headers({ accept: 'application/json' })
    await authenticate({ issuer: deps.issuer }, { client_id: clientId }, body, headers)
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await createProviderFetch({ fetch: deps.fetch, allowInsecureHttp, signal })(
      endpoint,
      { method: 'POST', headers: Object.fromEntries(headers), body, redirect: 'manual' },
    )
    if (response.status !== 200) throw new TypeError(refusalText(response.status))
    const text = await response.text()
    // The cache holds up to `MOST_KEPT` responses; a typical one has 1 kB.
    if (text.length > LONGEST_ANSWER) throw new TypeError('the introspection response is too large')
    const answer = answerForm.parse(JSON.parse(text))
    return answer.active ? answer : undefined
  }
}

function refusalText(status: number): string {
  return status === 400 || status === 401 || status === 403
    ? `introspection answers ${status}: check OAUTH_INTROSPECTION_CLIENT_ID and _CLIENT_SECRET`
    : `introspection answers ${status}`
}

/** Rate limit: stops unauthenticated callers from flooding the issuer with invented tokens. */
function createUnknownLimit(now: () => number) {
  /** A fixed window starts with the first unknown token of an address. */
  const windows = createLruCache<{ readonly startedAt: number; count: number }>(MOST_KEPT)
  /** Neither over, nor in the future after the clock was set back. */
  const isCurrent = (startedAt: number) => startedAt <= now() && now() < startedAt + MINUTE_MS
  const current = (address: string) => {
    const known = windows.get(address)
    if (known !== undefined && isCurrent(known.startedAt)) return known
    const fresh = { startedAt: now(), count: 0 }
    windows.set(address, fresh)
    return fresh
  }
  return {
    spend(address: string): void {
      const counted = current(address)
      if (counted.count >= MOST_UNKNOWN) {
        const retryAfterSeconds = Math.ceil((counted.startedAt + MINUTE_MS - now()) / 1000)
        const message = 'Too many access tokens that are not known. Try again later.'
        throw new AppError('too_many_requests', message, { retryAfterSeconds })
      }
      counted.count += 1
    },
    giveBack(address: string): void {
      const counted = current(address)
      counted.count = Math.max(0, counted.count - 1)
    },
  }
}
