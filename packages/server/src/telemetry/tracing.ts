/** The tracing interface. Tracing is on only if an OTLP endpoint is configured. */

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

export interface SpanOptions {
  /** Of low cardinality: a route or a tool's name, never an id. */
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  /** Follow OpenTelemetry's semantic conventions. No secrets, ids or addresses of callers. */
  readonly attributes?: SpanAttributes
  /** May carry the caller's W3C Trace Context: headers, or `_meta` of a message. */
  readonly carrier?: object | undefined
}

export interface Span {
  /** Runs `work` inside the span: spans started there become its children. */
  run<T>(work: () => T): T
  set(name: string, value: string | number): void
  /** Marks a failure with a code or an error class, not a message (`error.type`). */
  fail(errorType: string): void
  end(): void
}

export interface Tracing {
  /**
   * Starts a span. Its parent is the context in `carrier`, with a link to the current span;
   * otherwise the current span, if any.
   */
  start(options: SpanOptions): Span
  /**
   * Runs `work` in a child of the current span, if there is one: background work starts no traces.
   */
  inChild<T>(options: SpanOptions, work: (span: Span | undefined) => Promise<T>): Promise<T>
  /** Headers that propagate the current span to another service. */
  headers(): Readonly<Record<string, string>>
  /** The current trace id for log lines, if there is one. */
  logFields(): { readonly traceId?: string }
  /** Exports all ended spans; gives up after a few seconds. */
  close(): Promise<void>
}

export interface TracingOptions {
  /** The full URL to which spans are posted. */
  readonly endpoint: string
  readonly serviceName: string
  readonly serviceVersion: string
  /** The sampling ratio by trace id, from 0 to 1; ignores the caller's sampling decision. */
  readonly sampleRatio: number
  /** Headers for the collector, such as its credentials. */
  readonly headers: Readonly<Record<string, string>>
  /** Called when an export fails, once until exports succeed again. */
  readonly onFailure: (error: unknown) => void
}

/** The error type in a span: the error's code if it is one of ours, otherwise its class. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[\w-]{1,40}$/.test(code) ? code : error.name
}
