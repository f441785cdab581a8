/** The metrics of a node. `prom-client` is loaded only if metrics are served. */

export const SESSION_CHANGES = ['created', 'authenticated', 'ended'] as const
/**
 * `subscriptions/listen` (2026 era), the stream of an MCP session (2025 era), and a resumed stream.
 */
export const STREAM_KINDS = ['listen', 'connection', 'resumed'] as const
/** Why a client's message about a request was not forwarded to the node that runs it. */
export const DROP_REASONS = [
  ...(['forged_id', 'node_gone', 'repeated_answer'] as const),
  ...(['frequent_progress', 'frequent_cancel', 'not_running'] as const),
]

export type DropReason = (typeof DROP_REASONS)[number]
export type SessionChange = (typeof SESSION_CHANGES)[number]
export type StreamKind = (typeof STREAM_KINDS)[number]

export interface Scrape {
  readonly contentType: string
  readonly text: string
}

/** The metrics of one process, as `prom-client` exports and aggregates them. */
export type MetricSnapshot = readonly { readonly name: string; readonly type: string }[]

export interface Metrics {
  /** `route` is a pattern of the server's own, never a path that a caller chose. */
  request(method: string, route: string, status: number, seconds: number): void
  toolStarted(): void
  toolEnded(tool: string, outcome: string, seconds: number): void
  readEnded(resource: string, outcome: string, seconds: number): void
  promptEnded(prompt: string, outcome: string, seconds: number): void
  /** A call of an unknown tool. */
  toolUnknown(): void
  session(change: SessionChange): void
  streamOpened(kind: StreamKind): void
  streamClosed(kind: StreamKind): void
  /** `upstream` is the configured name of an additional upstream. */
  signIn(outcome: string, upstream?: string): void
  refresh(outcome: string, upstream?: string): void
  storeCommand(seconds: number, command: string): void
  storeError(command: string): void
  /** `count` is read on each scrape. */
  storeShards(count: () => { readonly total: number; readonly ready: number }): void
  /** The single counter of rate limit refusals. */
  rateLimited(scope: string): void
  clientMessageDropped(reason: DropReason): void
  /** All metrics in Prometheus' text format. */
  scrape(): Promise<Scrape>
  /** The values of this process, as messages between processes carry them. */
  snapshot(): Promise<MetricSnapshot>
  close(): void
}

const ignore = () => undefined

/** Counts nothing: for `metrics: false`, and for unit tests. */
export const NO_METRICS: Metrics = {
  ...{ request: ignore, toolStarted: ignore, toolEnded: ignore, toolUnknown: ignore },
  ...{ readEnded: ignore, promptEnded: ignore },
  ...{ session: ignore, streamOpened: ignore, streamClosed: ignore, signIn: ignore },
  ...{ refresh: ignore, storeCommand: ignore, storeError: ignore, rateLimited: ignore },
  storeShards: ignore,
  ...{ clientMessageDropped: ignore, close: ignore },
  scrape: async () => ({ contentType: 'text/plain', text: '' }),
  snapshot: async () => [],
}
