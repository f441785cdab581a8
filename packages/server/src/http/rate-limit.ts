/** How often one may call and open pages: by the session of a token, by connection, by address. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, MiddlewareHandler } from 'hono'
import type { TokenPresenter } from '../auth/access-tokens.ts'
import type { Authenticate, Door } from '../auth/authenticate.ts'
import { basePathOf } from '../config/base-path.ts'
import { AppError } from '../errors.ts'
import type { Caller } from '../session/caller.ts'
import type { Counting, Rate, RateLimits, Standing } from '../store/rate-limits.ts'
import { knownBrowser } from './browser-cookie.ts'
import {
  type CountedAddresses,
  clientAddress,
  countedNetwork,
  isCounted,
  networkOf,
} from './client-address.ts'
import type { HttpEnv } from './context.ts'
import { rateLimitHeaders, refuseIfOver } from './rate-limit-answer.ts'
import { declaredBytes, weightOf } from './request-weight.ts'

export interface RateLimitOptions extends CountedAddresses {
  /** False where nobody is counted. */
  readonly rateLimit: boolean
  /** The largest body that is read. */
  readonly bodyLimitBytes: number
  /** Units a minute of one session or connection: a call counts as its `weightOf`. */
  readonly callerRate: number
  /** Units a minute of all callers at one address that have no token. */
  readonly addressRate: number
}

/** A request as far as it is counted. */
export interface CountedRequest {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  /** Undefined until it is known, and of one who was refused. */
  readonly caller: Caller | undefined
  /** How many bytes the body had; undefined until it was read. */
  readonly bodyBytes: number | undefined
  /** How many units it was counted as; undefined until it was. */
  weight: number | undefined
}

/**
 * A caller with a token is counted by its session alone, so that others at its address cannot lock it
 * out; one without by its address, and by its connection if it has one; and who is refused, by its
 * address. Whoever holds a revoked token must not use up what its owner has, so a session is counted
 * once its token has been found good. Every answer says where the caller stands.
 */
export interface CallRates {
  /** Counts a request whose caller was found, and refuses it when that is one too many. */
  count(request: CountedRequest): Promise<void> | undefined
  /** Counts one that was refused before its caller was known: guessing is bounded. */
  countRefused(request: CountedRequest, error: unknown): Promise<void> | undefined
  /** Counts what a body in chunks weighs on top: nobody knew how long it would be. */
  countBody(request: CountedRequest): Promise<void> | undefined
  /** The same of a body that was refused. */
  countRefusedBody(request: CountedRequest, error: unknown): Promise<void> | undefined
  /** Refuses a session that is known to be over its limit, without asking the store. */
  refuseKnown(request: CountedRequest, session: string): void
}

/** A request whose caller is looked for. */
export interface PresentedRequest extends CountedRequest, TokenPresenter {
  caller: Caller | undefined
}

export interface IdentifyDeps {
  readonly authenticate: Authenticate
  readonly rates: CallRates
}

/** Finds who calls, by the headers, and counts the request. */
export async function identify(
  { authenticate, rates }: IdentifyDeps,
  request: PresentedRequest,
  door: Door,
): Promise<Caller> {
  try {
    const found = authenticate.find(request.incoming.headers.authorization, door, request)
    request.caller = found instanceof Promise ? await found : found
    if (request.caller === undefined) throw await authenticate.refusal(door)
  } catch (error) {
    await rates.countRefused(request, error)
    throw error
  }
  const counting = rates.count(request)
  if (counting !== undefined) await counting
  return request.caller
}

export interface RateLimiting {
  /** Counts pages, by address. */
  readonly pages: MiddlewareHandler<HttpEnv>
  /**
   * The same for the landing page, where a browser says that it is known, which anybody can say: the
   * page asks the store then, and does without it while it is away.
   */
  landing(publicUrl: string): MiddlewareHandler<HttpEnv>
}

const nothing = () => undefined

const NOT_COUNTED: CallRates = {
  count: nothing,
  countRefused: nothing,
  countBody: nothing,
  countRefusedBody: nothing,
  refuseKnown: nothing,
}

export function createCallRates(limits: RateLimits, options: RateLimitOptions): CallRates {
  if (!options.rateLimit) return NOT_COUNTED
  const { weightOfRequest, countCall, refuseKnown } = createCounter(limits, options)

  function weigh(request: CountedRequest): Promise<void> | undefined {
    request.weight = weightOfRequest(request)
    return countCall(request, request.weight)
  }

  function countBody(request: CountedRequest): Promise<void> | undefined {
    const more = weightOfRequest(request) - (request.weight ?? Number.POSITIVE_INFINITY)
    return more > 0 ? countCall(request, more) : undefined
  }

  return {
    refuseKnown,
    countBody,
    count(request) {
      const counting = weigh(request)
      if (request.incoming.method !== 'DELETE') return counting
      // A store that is full refuses to count, and still deletes: who ends something may do so.
      return counting?.catch((error: unknown) => {
        if (!isUnavailable(error)) throw error
      })
    },
    // A store that is away has nothing to do with the caller.
    countRefused: (request, error) => (isRefusal(error) ? weigh(request) : undefined),
    countRefusedBody: (request, error) => (isRefusal(error) ? countBody(request) : undefined),
  }
}

export function createRateLimiting(limits: RateLimits, options: RateLimitOptions): RateLimiting {
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
    async pages(c, next) {
      await countPage(c)
      await next()
    },
    landing: (publicUrl) => async (c, next) => {
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

/** Counts a request for whoever sent it, and refuses it when that is too much. */
function createCounter(limits: RateLimits, options: RateLimitOptions) {
  const { trustedProxies, bodyLimitBytes, callerRate, addressRate } = options
  const byCaller = (who: string): Counting => ({ limit: 'caller', who, rate: aMinute(callerRate) })

  function whoCalls({ incoming, caller }: CountedRequest): readonly Counting[] {
    if (!isCounted(incoming, options)) return []
    if (caller?.kind === 'token') return [byCaller(caller.session.id)]
    const network = networkOf(clientAddress(incoming, trustedProxies))
    const byAddress = { limit: 'address', who: network, rate: aMinute(addressRate) }
    const connection = caller === undefined ? undefined : connectionOf(incoming)
    if (connection === undefined) return [byAddress]
    // Apart from sessions: whoever knows the id of one must not use up what it has.
    return [byAddress, byCaller(`connection ${connection}`)]
  }

  return {
    /** With what is known of its size: by the header, before the body is read. */
    weightOfRequest({ incoming, bodyBytes }: CountedRequest): number {
      const bytes = bodyBytes ?? declaredBytes(incoming) ?? 0
      // More is not read: whoever only says so must not use up what its neighbours have.
      return weightOf(Math.min(bytes, bodyLimitBytes))
    },
    /** Once it is known who calls, or that it is nobody. */
    countCall(request: CountedRequest, by: number): Promise<void> | undefined {
      const countings = whoCalls(request)
      if (countings.length === 0) return undefined
      const weighed = by === 1 ? countings : countings.map((counting) => ({ ...counting, by }))
      return limits.count(weighed).then((standings) => refuseTooMany(request.outgoing, standings))
    },
    refuseKnown({ incoming, outgoing }: CountedRequest, session: string): void {
      if (!isCounted(incoming, options)) return
      const over = limits.over([byCaller(session)])
      if (over.length > 0) refuseTooMany(outgoing, over)
    },
  }
}

function refuseTooMany(outgoing: ServerResponse, standings: readonly Standing[]): void {
  // Before the answer, whoever writes it: to change its headers afterwards is to copy it.
  for (const [name, value] of Object.entries(rateLimitHeaders(standings))) {
    outgoing.setHeader(name, value)
  }
  refuseIfOver(standings)
}

/** Who is over already is not counted again. */
function isRefusal(error: unknown): boolean {
  return error instanceof AppError && error.status < 500 && error.code !== 'too_many_requests'
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unavailable'
}

function aMinute(calls: number): Rate {
  return { calls, perSeconds: 60 }
}

/** The form of what connections are named by; see `createId`. */
const CONNECTION_ID = /^(?:con|ses)_[\w-]{43}$/

/** As the request says: an id that is unknown is refused later, and has been counted by address. */
function connectionOf({ headers, url = '/' }: IncomingMessage): string | undefined {
  const id = headers['mcp-session-id'] ?? queryOf(url).get('session_id')
  return typeof id === 'string' && CONNECTION_ID.test(id) ? id : undefined
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start))
}
