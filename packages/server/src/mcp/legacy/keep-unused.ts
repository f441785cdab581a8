/** Renews the TTL of an unused MCP session while one of its streams is open. */

import type { McpSessions } from './mcp-session.ts'

export interface KeepTimes {
  /** TTL of an unused MCP session, after its stream is closed. */
  readonly unusedTtlSeconds: number
}

/** Renews the MCP session until it is used or has ended. Returns the function that stops it. */
export function keepUnused(
  { renewUnused }: Pick<McpSessions, 'renewUnused'>,
  id: string,
  { unusedTtlSeconds }: KeepTimes,
): () => void {
  const timer = setInterval(
    () => {
      renewUnused(id).then(
        (renewed) => {
          if (!renewed) clearInterval(timer)
        },
        // The store is unavailable: the next renewal may succeed.
        () => undefined,
      )
    },
    (unusedTtlSeconds * 1000) / 4,
  ).unref()
  return () => clearInterval(timer)
}
