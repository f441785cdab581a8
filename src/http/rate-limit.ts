/** How often one may call and open pages: by the session of a token, by connection, by address. */

import type { Context, MiddlewareHandler } from 'hono'
import { AppError } from '../errors.ts'
import type { Caller } from '../session/caller.ts'
import type { Counting, Rate, RateLimits, Standing } from '../store/rate-limits.ts'
import {
  type CountedAddresses,
  clientAddress,
  countedNetwork,
  isCounted,
  networkOf,
} from './client-address.ts'
import type { HttpEnv } from './context.ts'
import { rateLimitHeaders, refuseIfOver } from './rate-limit-answer.ts'

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
   * by its connection if it has one; and who is refused, by its address. A session is counted while
   * the store is asked about its token, so that the call waits once for both. Every answer says
   * where the caller stands.
   */
  calls(check: MiddlewareHandler<HttpEnv>): MiddlewareHandler<HttpEnv>
  /** Counts pages, by address. */
  readonly pages: MiddlewareHandler<HttpEnv>
}

export function createRateLimiting(limits: RateLimits, options: RateLimitOptions): RateLimiting {
  const { trustedProxies, callerRate, addressRate } = options

  async function refuseTooMany(
    c: Context<HttpEnv>,
    counted: Promise<readonly Standing[]>,
  ): Promise<void> {
    const standings = await counted
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
    return connection === undefined ? [byAddress] : [byAddress, byCaller(connection)]
  }

  return {
    calls: (check) => async (c, next) => {
      let ofSession: Promise<readonly Standing[]> | undefined
      c.set('onSession', (id) => {
        if (!isCounted(c.env.incoming, options)) return
        ofSession = limits.count([byCaller(id)])
        // If it fails, and the check as well, nobody asks for it.
        ofSession.catch(() => undefined)
      })
      /** Once it is known who calls, or that it is nobody. */
      const count = () => {
        const caller: Caller | undefined = c.get('caller')
        if (caller?.kind === 'token' && ofSession !== undefined) return ofSession
        return limits.count(whoCalls(c, caller))
      }
      try {
        await check(c, async () => undefined)
      } catch (error) {
        // Guessing is bounded; a store that is away has nothing to do with the caller.
        if (error instanceof AppError && error.status < 500) await refuseTooMany(c, count())
        throw error
      }
      await refuseTooMany(c, count())
      await next()
    },

    async pages(c, next) {
      const network = countedNetwork(c.env.incoming, options)
      const rate = aMinute(PAGES_A_MINUTE)
      const who = network === undefined ? [] : [{ limit: 'page', who: network, rate }]
      await refuseTooMany(c, limits.count(who))
      await next()
    },
  }
}

function aMinute(calls: number): Rate {
  return { calls, perSeconds: 60 }
}

/** As the request says: an id that is unknown is refused later, and has been counted by address. */
function connectionOf(c: Context<HttpEnv>): string | undefined {
  return c.req.header('mcp-session-id') ?? c.req.query('session_id')
}
