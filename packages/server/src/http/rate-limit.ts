/** How often one may call and open pages: by the session of a token, by connection, by address. */

import type { Context, MiddlewareHandler } from 'hono'
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

export interface RateLimiting {
  /**
   * Puts the count behind the check of who is calling. A caller with a token is counted by its
   * session alone, so that others at its address cannot lock it out; one without by its address, and
   * by its connection if it has one; and who is refused, by its address. Whoever holds a revoked
   * token must not use up what its owner has, so a session is counted once its token has been found
   * good; but one that is known to be over is refused before the store is asked about the token. Every
   * answer says where the caller stands.
   */
  calls(check: MiddlewareHandler<HttpEnv>): MiddlewareHandler<HttpEnv>
  /**
   * Puts what a body in chunks weighs on top behind the reading of it, where the request was counted
   * before: nobody knew how long it would be.
   */
  bodies(read: MiddlewareHandler<HttpEnv>): MiddlewareHandler<HttpEnv>
  /** Counts pages, by address. */
  readonly pages: MiddlewareHandler<HttpEnv>
  /**
   * The same for the landing page, where a browser says that it is known, which anybody can say: the
   * page asks the store then, and does without it while it is away.
   */
  landing(publicUrl: string): MiddlewareHandler<HttpEnv>
}

export function createRateLimiting(limits: RateLimits, options: RateLimitOptions): RateLimiting {
  const { weightOfRequest, countCall, countPage, refuseKnown } = createCounter(limits, options)

  const weighed: RateLimiting['bodies'] = (read) => async (c, next) => {
    const countRest = async () => {
      const more = weightOfRequest(c) - (c.get('weight') ?? Number.POSITIVE_INFINITY)
      if (more > 0) await countCall(c, more)
    }
    try {
      await read(c, async () => undefined)
    } catch (error) {
      if (isRefusal(error)) await countRest()
      throw error
    }
    await countRest()
    await next()
  }

  const counted: RateLimiting['calls'] = (check) => async (c, next) => {
    c.set('onSession', (id) => refuseKnown(c, id))
    const count = async () => {
      const weight = weightOfRequest(c)
      c.set('weight', weight)
      await countCall(c, weight)
    }
    try {
      await check(c, async () => undefined)
    } catch (error) {
      // Guessing is bounded; a store that is away has nothing to do with the caller.
      if (isRefusal(error)) await count()
      throw error
    }
    await count().catch((error: unknown) => {
      // A store that is full refuses to count, and still deletes: who ends something is let through.
      if (c.req.method !== 'DELETE' || !isUnavailable(error)) throw error
    })
    await next()
  }

  return {
    calls: (check) => (options.rateLimit ? counted(check) : check),

    bodies: (read) => (options.rateLimit ? weighed(read) : read),

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

  function refuseTooMany(c: Context<HttpEnv>, standings: readonly Standing[]): void {
    // Before the answer, whoever writes it: to change its headers afterwards is to copy it.
    for (const [name, value] of Object.entries(rateLimitHeaders(standings))) {
      c.env.outgoing.setHeader(name, value)
    }
    refuseIfOver(standings)
  }

  const byCaller = (who: string): Counting => ({ limit: 'caller', who, rate: aMinute(callerRate) })

  function whoCalls(c: Context<HttpEnv>, caller: Caller | undefined): readonly Counting[] {
    if (!isCounted(c.env.incoming, options)) return []
    if (caller?.kind === 'token') return [byCaller(caller.session.id)]
    const network = networkOf(clientAddress(c.env.incoming, trustedProxies))
    const byAddress = { limit: 'address', who: network, rate: aMinute(addressRate) }
    const connection = caller === undefined ? undefined : connectionOf(c)
    if (connection === undefined) return [byAddress]
    // Apart from sessions: whoever knows the id of one must not use up what it has.
    return [byAddress, byCaller(`connection ${connection}`)]
  }

  /** With what is known of its size: by the header, before the body is read. */
  function weightOfRequest(c: Context<HttpEnv>): number {
    const bytes = c.get('bodyBytes') ?? declaredBytes(c.env.incoming) ?? 0
    // More is not read: whoever only says so must not use up what its neighbours have.
    return weightOf(Math.min(bytes, bodyLimitBytes))
  }

  /** Once it is known who calls, or that it is nobody. */
  async function countCall(c: Context<HttpEnv>, by: number): Promise<void> {
    const countings = whoCalls(c, c.get('caller'))
    const weighed = by === 1 ? countings : countings.map((counting) => ({ ...counting, by }))
    refuseTooMany(c, await limits.count(weighed))
  }

  async function countPage(c: Context<HttpEnv>): Promise<void> {
    const network = countedNetwork(c.env.incoming, options)
    const limit = c.get('route')?.limit
    if (network === undefined || limit === undefined || limit === 'caller') return
    const by = weightOfRequest(c)
    const who = [{ limit: limit.name, who: network, rate: aMinute(limit.calls), by }]
    refuseTooMany(c, await limits.count(who))
  }

  /** Refuses a session that is known to be over, without asking the store. */
  function refuseKnown(c: Context<HttpEnv>, session: string): void {
    if (!isCounted(c.env.incoming, options)) return
    const over = limits.over([byCaller(session)])
    if (over.length > 0) refuseTooMany(c, over)
  }

  return { weightOfRequest, countCall, countPage, refuseKnown }
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
function connectionOf(c: Context<HttpEnv>): string | undefined {
  const id = c.req.header('mcp-session-id') ?? c.req.query('session_id')
  return id !== undefined && CONNECTION_ID.test(id) ? id : undefined
}
