/** One request to `/mcp`, as the HTTP layer hands it over. */

import type { LookedUp } from './legacy/find-connection.ts'
import type { RequestOrigins } from './origin.ts'

export interface McpRequest {
  /** The body, if there was one, has been read and parsed already. */
  readonly request: Request
  readonly body: unknown
  readonly origins: RequestOrigins
  /** The connection that the request names, where somebody has looked it up. */
  readonly connection?: LookedUp | undefined
  /** Calls back when the answer is over, however it ended. */
  readonly onClose: (listener: () => void) => void
}
