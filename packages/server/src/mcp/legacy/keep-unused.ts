/** Keeps an unused connection alive while a stream of it is open, and no longer. */

import type { McpSessions } from './mcp-session.ts'

export interface KeepTimes {
  /** How long a connection lives that nobody has used, once its stream is closed. */
  readonly unusedTtlSeconds: number
}

/** Renews the connection until it was used, or has ended. Returns the function that stops it. */
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
        // The store is away: the next one may find it again.
        () => undefined,
      )
    },
    (unusedTtlSeconds * 1000) / 4,
  ).unref()
  return () => clearInterval(timer)
}
