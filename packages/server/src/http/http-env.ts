/** Hono environment: variables that the middleware sets for the routes. */

import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Logger } from '../logger.ts'
import type { Caller } from '../session/caller.ts'
import type { PageTheme } from './pages/page-theme.ts'
import type { Route } from './routes.ts'

/** State of a caller's POST that the fast path handed over to Hono. */
export interface HandedCall {
  readonly requestId: string
  /** Start time by the monotonic clock, in milliseconds. */
  readonly started: number
  readonly log: Logger
  /** The bytes of a small body, already read. */
  readonly early: Buffer | Promise<Buffer> | undefined
  /** The parsed body; undefined until parsed. */
  readonly body: unknown
  /** Produces the response. */
  readonly respond: ((c: Context<HttpEnv>) => Response | Promise<Response>) | undefined
}

export interface HttpEnv {
  Bindings: HttpBindings & {
    readonly call?: HandedCall | undefined
    /** Why the host guard refuses the request. */
    readonly refusal?: unknown
  }
  Variables: {
    readonly log: Logger
    readonly requestId: string
    /** Row of the route table; undefined for an unknown path. */
    readonly route: Route | undefined
    /** Theme of the browser pages. */
    readonly theme: PageTheme
    /** True if a known browser opens a route that also serves programs: errors become pages. */
    readonly forPeople: boolean | undefined
    /** The authenticated caller; set by the `bearer` middleware. */
    readonly caller: Caller
  }
}
