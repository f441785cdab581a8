/** Traces as the rest of the code sees them. They exist only where an OTLP endpoint is configured. */

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

export interface SpanOptions {
  /** What varies little: a route or a tool's name, never an id. */
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  /** By OpenTelemetry's semantic conventions. No secrets, no ids, no addresses of callers. */
  readonly attributes?: SpanAttributes
  /** Where the caller's W3C Trace Context may be: headers, or `_meta` of a message. */
  readonly carrier?: object | undefined
}

export interface Span {
  /** Runs `work` inside the span: what begins there becomes its child. */
  run<T>(work: () => T): T
  set(name: string, value: string | number): void
  /** Marks a failure: a code or a class of error, not a message (`error.type`). */
  fail(errorType: string): void
  end(): void
}

export interface Tracing {
  /**
   * Starts a span. Its parent is what `carrier` names, which is then linked to the current span, or
   * else the current span, or nothing.
   */
  start(options: SpanOptions): Span
  /** Runs `work` in a child of the current span, if there is one: the background makes no traces. */
  inChild<T>(options: SpanOptions, work: (span: Span | undefined) => Promise<T>): Promise<T>
  /** Headers that carry the current span to another service. */
  headers(): Readonly<Record<string, string>>
  /** For log lines: the current trace, if there is one. */
  logFields(): { readonly traceId?: string }
  /** Sends what has ended, and gives up after a few seconds. */
  close(): Promise<void>
}

export interface TracingOptions {
  /** Where spans are posted, with the path. */
  readonly endpoint: string
  readonly serviceName: string
  readonly serviceVersion: string
  /** Of traces that begin here, from 0 to 1; a caller's own decision is kept. */
  readonly sampleRatio: number
  /** For the collector, such as its credentials. */
  readonly headers: Readonly<Record<string, string>>
  /** Told when spans could not be sent, once until they can be again. */
  readonly onFailure: (error: unknown) => void
}

/** What an error may be called in a span: its code if it is one of ours, otherwise its class. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[\w-]{1,40}$/.test(code) ? code : error.name
}
