/** What our middleware leaves for the routes behind it. */

import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Logger } from '../logger.ts'
import type { Caller } from '../session/caller.ts'
import type { PageTheme } from './pages/page-theme.ts'
import type { Route } from './routes.ts'

/** A POST of a caller, as far as it has come before it was handed to Hono. */
export interface HandedCall {
  readonly requestId: string
  /** By the monotonic clock, in milliseconds. */
  readonly started: number
  readonly log: Logger
  /** The bytes of a small body. */
  readonly early: Buffer | Promise<Buffer> | undefined
  /** Parsed; undefined until it was. */
  readonly body: unknown
  /** Answers it. */
  readonly respond: ((c: Context<HttpEnv>) => Response | Promise<Response>) | undefined
}

export interface HttpEnv {
  Bindings: HttpBindings & { readonly call?: HandedCall | undefined }
  Variables: {
    readonly log: Logger
    readonly requestId: string
    /** The route table's; undefined where nothing is. */
    readonly route: Route | undefined
    /** What all pages share. */
    readonly theme: PageTheme
    /** Set where a browser that is known brings somebody to a route for programs, too. */
    readonly forPeople: boolean | undefined
    /** Who calls; set where the bearer check stands before the route. */
    readonly caller: Caller
  }
}
