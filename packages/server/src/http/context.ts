/** What our middleware leaves for the routes behind it. */

import type { HttpBindings } from '@hono/node-server'
import type { OnSession } from '../auth/access-tokens.ts'
import type { Logger } from '../logger.ts'
import type { Connection } from '../mcp/legacy/connection.ts'
import type { Caller } from '../session/caller.ts'
import type { Look } from './look.ts'
import type { Route } from './routes.ts'

export interface HttpEnv {
  Bindings: HttpBindings
  Variables: {
    /** The connection that the request names, looked up while its token is. */
    readonly connection: Promise<Connection | undefined> | undefined
    readonly log: Logger
    readonly requestId: string
    /** The route table's; undefined where nothing is. */
    readonly route: Route | undefined
    /** What all pages share. */
    readonly look: Look
    /** The bytes of a small JSON body, which is read while the headers are checked. */
    readonly arriving: Promise<Buffer> | undefined
    /** The parsed JSON body of a POST. */
    readonly body: unknown
    /** How many bytes it had; undefined until it was read. */
    readonly bodyBytes: number | undefined
    /** How many units of rate limits the request was counted as; undefined until it was. */
    readonly weight: number | undefined
    /** Set where a browser that is known brings somebody to a route for programs, too. */
    readonly forPeople: boolean | undefined
    /** Hears of a token's session before the bearer check is done. */
    readonly onSession?: OnSession
    /** Who calls; set where the bearer check stands before the route. */
    readonly caller: Caller
  }
}
