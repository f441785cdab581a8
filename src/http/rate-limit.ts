/** How often one may call and open pages: by the session of a token, by connection, by address. */

import type { Context, MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import type { Caller } from '../session/caller.ts'
import type { RateLimits, Standing } from '../store/rate-limits.ts'
import {
  type CountedAddresses,
  clientAddress,
  countedNetwork,
  isCounted,
  networkOf,
} from './client-address.ts'
import type { HttpEnv } from './context.ts'
import { rateLimitHeaders, refuseIfOver } from './rate-limit-answer.ts'

const MINUTE = 60
/** Each costs a few writes, or a request to the identity provider; people open three to sign in. */
const PAGES_A_MINUTE = 600

export interface RateLimitOptions extends CountedAddresses {
  /** Calls a minute of one session or connection. */
  readonly callerRate: number
  /** Calls a minute of all callers at one address that have no token. */
  readonly addressRate: number
}

export interface RateLimiting {
  /**
   * Puts the count behind the check of who is calling. A caller with a token is counted by its
   * session alone, so that others at its address cannot lock it out; one without by its address, and
   * by its connection if it has one; and who is refused, by its address.
   */
  calls(check: MiddlewareHandler<HttpEnv>): MiddlewareHandler<HttpEnv>
  /** Counts pages, by address. */
  readonly pages: MiddlewareHandler<HttpEnv>
  /** Says on every answer where the caller stands. Stands outside the others. */
  readonly headers: MiddlewareHandler<HttpEnv>
}

export function createRateLimiting(limits: RateLimits, options: RateLimitOptions): RateLimiting {
  const byCaller = { calls: options.callerRate, perSeconds: MINUTE }
  const byAddress = { calls: options.addressRate, perSeconds: MINUTE }
  const byPages = { calls: PAGES_A_MINUTE, perSeconds: MINUTE }

  /** In one round trip, however many there are. */
  async function refuseTooMany(
    c: Context<HttpEnv>,
    counts: readonly Promise<Standing | undefined>[],
  ): Promise<void> {
    const standings = (await Promise.all(counts)).filter((standing) => standing !== undefined)
    c.set('standings', standings)
    refuseIfOver(standings)
  }

  function countCall(c: Context<HttpEnv>): Promise<Standing | undefined>[] {
    if (!isCounted(c.env.incoming, options)) return []
    const caller: Caller | undefined = c.get('caller')
    if (caller?.kind === 'token') return [limits.count('caller', caller.session.id, byCaller)]
    const network = networkOf(clientAddress(c.env.incoming, options.trustedProxies))
    const counted = limits.count('address', network, byAddress)
    const connection = caller === undefined ? undefined : connectionOf(c)
    if (connection === undefined) return [counted]
    return [counted, limits.count('caller', connection, byCaller)]
  }

  return {
    calls: (check) => async (c, next) => {
      try {
        await check(c, async () => undefined)
      } catch (error) {
        // Guessing is bounded; a store that is away has nothing to do with the caller.
        if (error instanceof AppError && error.status < 500) await refuseTooMany(c, countCall(c))
        throw error
      }
      await refuseTooMany(c, countCall(c))
      await next()
    },

    async pages(c, next) {
      const network = countedNetwork(c.env.incoming, options)
      if (network !== undefined) await refuseTooMany(c, [limits.count('page', network, byPages)])
      await next()
    },

    async headers(c, next) {
      await next()
      const fields = rateLimitHeaders(c.get('standings') ?? [])
      for (const [name, value] of Object.entries(fields)) c.header(name, value)
    },
  }
}

/** As the request says: an id that is unknown is refused later, and has been counted by address. */
function connectionOf(c: Context<HttpEnv>): string | undefined {
  return c.req.header('mcp-session-id') ?? c.req.query('session_id')
}
