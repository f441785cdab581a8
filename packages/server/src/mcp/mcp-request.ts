/** One request to `/mcp`, as the HTTP layer passes it on. */

import type { LookedUp } from './legacy/opened-mcp-sessions.ts'
import type { RequestContexts } from './request-context.ts'

export interface McpRequest {
  /** Its body, if any, is already consumed; see `body`. */
  readonly request: Request
  readonly body: unknown
  readonly contexts: RequestContexts
  /** Prefetched MCP session record; ownership not verified yet. */
  readonly mcpSession?: LookedUp | undefined
  /** Calls the listener when the response is finished or the client disconnects. */
  readonly onClose: (listener: () => void) => void
}
