/** What our middleware leaves for the routes behind it. */

import type { HttpBindings } from '@hono/node-server'
import type { Logger } from '../logger.ts'
import type { Caller } from '../session/caller.ts'

export interface HttpEnv {
  Bindings: HttpBindings
  Variables: {
    readonly log: Logger
    readonly requestId: string
    /** The parsed JSON body of a POST. */
    readonly body: unknown
    /** Who calls; set where the bearer check stands before the route. */
    readonly caller: Caller
  }
}
