/** What is counted and timed on a node. Prometheus' library is loaded only where metrics are served. */

export const SESSION_CHANGES = ['created', 'authenticated', 'ended'] as const
/** Listening of the 2026 era, of a 2025-era connection, and reading on in a call's answer. */
export const STREAM_KINDS = ['listen', 'connection', 'resumed'] as const
/** Why what a client sent about a request was not passed on to the node that runs it. */
export const DROP_REASONS = [
  ...(['forged_id', 'node_gone', 'repeated_answer'] as const),
  ...(['frequent_progress', 'frequent_cancel', 'not_running'] as const),
]

export type DropReason = (typeof DROP_REASONS)[number]
export type SessionChange = (typeof SESSION_CHANGES)[number]
export type StreamKind = (typeof STREAM_KINDS)[number]

export interface Metrics {
  /** `route` is a pattern of the server's own, never a path that a caller chose. */
  request(method: string, route: string, status: number, seconds: number): void
  toolStarted(): void
  toolEnded(tool: string, outcome: string, seconds: number): void
  readEnded(resource: string, outcome: string, seconds: number): void
  promptEnded(prompt: string, outcome: string, seconds: number): void
  /** A call of a tool that there is not. */
  toolUnknown(): void
  session(change: SessionChange): void
  streamOpened(kind: StreamKind): void
  streamClosed(kind: StreamKind): void
  /** `upstream` is one after the first, by the name in the configuration. */
  signIn(outcome: string, upstream?: string): void
  refresh(outcome: string, upstream?: string): void
  storeCommand(seconds: number, command: string): void
  storeError(command: string): void
  /** The one place that refusals for too many requests are counted. */
  rateLimited(scope: string): void
  clientMessageDropped(reason: DropReason): void
  /** The whole of it in Prometheus' text format. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>
  close(): void
}

const ignore = () => undefined

/** Counts nothing: `metrics: false`, and tests of single parts. */
export const NO_METRICS: Metrics = {
  ...{ request: ignore, toolStarted: ignore, toolEnded: ignore, toolUnknown: ignore },
  ...{ readEnded: ignore, promptEnded: ignore },
  ...{ session: ignore, streamOpened: ignore, streamClosed: ignore, signIn: ignore },
  ...{ refresh: ignore, storeCommand: ignore, storeError: ignore, rateLimited: ignore },
  ...{ clientMessageDropped: ignore, close: ignore },
  scrape: async () => ({ contentType: 'text/plain', text: '' }),
}
