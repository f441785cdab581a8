/** Rate limits of calls and pages, keyed by token session, MCP session and address. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, MiddlewareHandler, Next } from 'hono'
import { basePathOf } from '../config/public-path.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../session/caller.ts'
import {
  type Counting,
  type Rate,
  type RateLimitState,
  type RateLimits,
  rateLimitHeaders,
  refuseIfOver,
} from '../store/rate-limits.ts'
import {
  type CountedAddresses,
  clientAddress,
  countedNetwork,
  isCounted,
  networkOf,
} from './client-address.ts'
import type { HttpEnv } from './http-env.ts'
import { knownBrowser } from './pages/browser-cookie.ts'
import { declaredBytes, furtherWeightOf, weightOf } from './request-weight.ts'

export interface RateLimitOptions extends CountedAddresses {
  /** False disables rate limits. */
  readonly rateLimit: boolean
  /** Limit of the body size, in bytes. */
  readonly bodyLimitBytes: number
  /** Units per minute of one session or MCP session; a call costs its `weightOf`. */
  readonly callerRate: number
  /** Units per minute of all callers without a token at one address. */
  readonly addressRate: number
}

/** The parts of a request that rate limits use. */
export interface CountedRequest {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** Undefined before authentication, and if it failed. */
  readonly caller: Caller | undefined
  /** Size of the body; undefined until read. */
  readonly bodyBytes: number | undefined
  /** The parsed body; undefined until parsed. */
  readonly body?: unknown
  /** Units charged; undefined until counted. */
  weight: number | undefined
}

/**
 * Rate limits of calls. The key of a caller with a token is its session alone, so that others at
 * its address cannot lock it out; without a token, its address and MCP session, if any; a refused
 * request counts by address. A session is counted only after its token is validated, so that a
 * revoked token cannot exhaust its owner's quota. Every response carries the RateLimit headers.
 */
export interface CallRates {
  /** Counts an authenticated request, and refuses it if it exceeds a limit. */
  count(request: CountedRequest): Promise<void> | undefined
  /** Counts a request that failed authentication, which limits guessing (brute force). */
  countRefused(request: CountedRequest, error: unknown): Promise<void> | undefined
  /** Charges the additional weight of a parsed body: undeclared size (chunked), subscriptions. */
  countBody(request: CountedRequest): Promise<void> | undefined
  /** Charges the additional weight of a refused body. */
  countRefusedBody(request: CountedRequest, error: unknown): Promise<void> | undefined
  /** Refuses a session already known to exceed its limit, without a store access. */
  refuseKnown(request: CountedRequest, session: string): void
}

/** Undefined if rate limits are off. */
export function createCallRates(
  limits: RateLimits,
  options: RateLimitOptions,
): CallRates | undefined {
  if (!options.rateLimit) return undefined
  const { weightOfRequest, countCall, refuseKnown } = createCounter(limits, options)

  function weigh(request: CountedRequest): Promise<void> | undefined {
    request.weight = weightOfRequest(request)
    return countCall(request, request.weight)
  }

  function countBody(request: CountedRequest): Promise<void> | undefined {
    const weight = weightOfRequest(request) + furtherWeightOf(request.body)
    const more = weight - (request.weight ?? Number.POSITIVE_INFINITY)
    return more > 0 ? countCall(request, more) : undefined
  }

  return {
    refuseKnown,
    countBody,
    count(request) {
      const counting = weigh(request)
      if (request.incoming.method !== 'DELETE') return counting
      // A full store refuses to count but still deletes, so DELETE passes.
      return counting?.catch((error: unknown) => {
        if (!isUnavailable(error)) throw error
      })
    },
    // An unavailable store is not charged to the caller.
    countRefused: (request, error) => (isRefusal(error) ? weigh(request) : undefined),
    countRefusedBody: (request, error) => (isRefusal(error) ? countBody(request) : undefined),
  }
}

export type RateLimiting = ReturnType<typeof createRateLimiting>

export function createRateLimiting(limits: RateLimits, options: RateLimitOptions) {
  async function countPage(c: Context<HttpEnv>): Promise<void> {
    const { incoming, outgoing } = c.env
    const network = countedNetwork(incoming, options)
    const limit = c.get('route')?.limit
    if (network === undefined || limit === undefined || limit === 'caller') return
    const by = weightOf(Math.min(declaredBytes(incoming) ?? 0, options.bodyLimitBytes))
    const who = [{ limit: limit.name, who: network, rate: aMinute(limit.calls), by }]
    refuseTooMany(outgoing, await limits.count(who))
  }

  return {
    /** Rate limit of pages, by address. */
    async pages(c: Context<HttpEnv>, next: Next): Promise<void> {
      await countPage(c)
      await next()
    },
    /**
     * Rate limit of the landing page. Counts only requests with the cookie of a known browser,
     * which can be forged: the page then reads the store. Passes if the store is unavailable.
     */
    landing:
      (publicUrl: string): MiddlewareHandler<HttpEnv> =>
      async (c, next) => {
        if (knownBrowser(c, publicUrl.startsWith('https:'), basePathOf(publicUrl)) !== undefined) {
          c.set('forPeople', true)
          await countPage(c).catch((error: unknown) => {
            if (!isUnavailable(error)) throw error
          })
        }
        await next()
      },
  }
}

/** Counts a request for its caller, and refuses it if it exceeds a limit. */
function createCounter(limits: RateLimits, options: RateLimitOptions) {
  const { trustedProxies, bodyLimitBytes, callerRate, addressRate } = options
  const byCaller = (who: string): Counting => ({ limit: 'caller', who, rate: aMinute(callerRate) })
  const bySession = (sessionId: string) => ({ ...byCaller(sessionId), sessionId })

  function whoCalls({ incoming, caller }: CountedRequest): readonly Counting[] {
    if (!isCounted(incoming, options)) return []
    if (caller?.kind === 'token') return [bySession(caller.session.id)]
    const network = networkOf(clientAddress(incoming, trustedProxies))
    const byAddress = { limit: 'address', who: network, rate: aMinute(addressRate) }
    const mcpSession = caller === undefined ? undefined : mcpSessionOf(incoming)
    if (mcpSession === undefined) return [byAddress]
    // Separate key space: a known session id must not exhaust that session's quota.
    return [byAddress, byCaller(`connection ${mcpSession}`)]
  }

  return {
    /** Weight by the actual body size, or by the declared one before the body is read. */
    weightOfRequest({ incoming, bodyBytes }: CountedRequest): number {
      const bytes = bodyBytes ?? declaredBytes(incoming) ?? 0
      // Capped at the limit: a forged Content-Length must not exhaust the quota of the network.
      return weightOf(Math.min(bytes, bodyLimitBytes))
    },
    /** Call after authentication, successful or not. */
    countCall(request: CountedRequest, by: number): Promise<void> | undefined {
      const countings = whoCalls(request)
      if (countings.length === 0) return undefined
      const weighed = by === 1 ? countings : countings.map((counting) => ({ ...counting, by }))
      return limits
        .count(weighed)
        .then((limitStates) => refuseTooMany(request.outgoing, limitStates))
    },
    refuseKnown({ incoming, outgoing }: CountedRequest, session: string): void {
      if (!isCounted(incoming, options)) return
      const over = limits.over([bySession(session)])
      if (over.length > 0) refuseTooMany(outgoing, over)
    },
  }
}

function refuseTooMany(outgoing: ServerResponse, limitStates: readonly RateLimitState[]): void {
  // Set before the handler runs: changing a finished response's headers would copy the response.
  for (const [name, value] of Object.entries(rateLimitHeaders(limitStates))) {
    outgoing.setHeader(name, value)
  }
  refuseIfOver(limitStates)
}

/** Whether an error is the caller's fault; rate-limit errors are not counted again. */
function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.status < 500 && error.code !== 'too_many_requests'
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable'
}

function aMinute(calls: number): Rate {
  return { calls, perSeconds: 60 }
}

/** Format of the ids that identify an MCP session; see `createId`. */
const CONNECTION_ID = /^(?:con|ses)_[\w-]{43}$/

/** The MCP session id, not validated: an unknown id fails later and also counts by address. */
function mcpSessionOf({ headers, url = '/' }: IncomingMessage): string | undefined {
  const id = headers['mcp-session-id'] ?? queryOf(url).get('session_id')
  return typeof id === 'string' && CONNECTION_ID.test(id) ? id : undefined
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start))
}
