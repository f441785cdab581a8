/** Traces with OpenTelemetry's SDK, sent to a collector as OTLP over HTTP. Loaded on demand. */

import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Span as ApiSpan,
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import {
  errorTypeOf,
  type Span,
  type SpanOptions,
  type Tracing,
  type TracingOptions,
} from './tracing.ts'

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const

/** An unreachable collector must not block a graceful shutdown. */
const CLOSE_MS = 3000
const EXPORT_MS = 5000

/** Uses no global provider: each server of a process has its own. */
export function createOtlpTracing(options: TracingOptions): Tracing {
  const current = new AsyncLocalStorage<Context>()
  const propagator = new W3CTraceContextPropagator()
  const provider = createProvider(options)
  const tracer = provider.getTracer('mcp-template', options.serviceVersion)
  const active = () => current.getStore() ?? ROOT_CONTEXT

  function start({ carrier, ...options }: SpanOptions): Span {
    const ambient = active()
    const given = carrier && propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
    const remote = given && trace.getSpanContext(given)
    const parent = remote === undefined ? ambient : given
    const [span, context] = startSpan(tracer, options, parent ?? ambient, ambient)
    return toSpan(current, span, context)
  }

  return {
    start,
    async inChild(options, work) {
      if (trace.getSpan(active()) === undefined) return work(undefined)
      const span = start(options)
      try {
        return await span.run(() => work(span))
      } catch (error) {
        span.fail(errorTypeOf(error))
        throw error
      } finally {
        span.end()
      }
    },
    headers() {
      const headers: Record<string, string> = {}
      propagator.inject(active(), headers, defaultTextMapSetter)
      return headers
    },
    logFields() {
      const traceId = trace.getSpanContext(active())?.traceId
      return traceId === undefined ? {} : { traceId }
    },
    async close() {
      let timer: NodeJS.Timeout | undefined
      const tooLong = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS)
      })
      await Promise.race([provider.shutdown().catch(() => undefined), tooLong])
      clearTimeout(timer)
    },
  }
}

function createProvider(options: TracingOptions): TracerProvider {
  const { endpoint: url, headers, serviceName, serviceVersion, sampleRatio } = options
  const otlp = new OTLPTraceExporter({ url, headers, timeoutMillis: EXPORT_MS })
  const exporter = reportingFailures(otlp, options.onFailure)
  return new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.version': serviceVersion,
    }),
    // Ignores the caller's sampling decision: any caller could force sampling.
    sampler: new TraceIdRatioBasedSampler(sampleRatio),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: EXPORT_MS })],
  })
}

/** Reports export failures here rather than to the SDK's logger, which is global to the process. */
function reportingFailures(
  exporter: SpanExporter,
  onFailure: TracingOptions['onFailure'],
): SpanExporter {
  let isFailing = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.code === ExportResultCode.FAILED
        if (failed && !isFailing) onFailure(result.error)
        isFailing = failed
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
  }
}

/**
 * Semantic conventions for MCP, "Context propagation": the parent of a message is the span that it
 * names; it also links to the span of its HTTP request.
 */
function startSpan(
  tracer: Tracer,
  { name, kind, attributes = {} }: SpanOptions,
  parent: Context,
  ambient: Context,
): [ApiSpan, Context] {
  const carriedBy = parent === ambient ? undefined : trace.getSpanContext(ambient)
  const links = carriedBy === undefined ? [] : [{ context: carriedBy }]
  const span = tracer.startSpan(name, { kind: KINDS[kind], attributes, links }, parent)
  return [span, trace.setSpan(parent, span)]
}

function toSpan(current: AsyncLocalStorage<Context>, span: ApiSpan, context: Context): Span {
  return {
    run: (work) => current.run(context, work),
    set: (name, value) => void span.setAttribute(name, value),
    fail(errorType) {
      span.setAttribute('error.type', errorType)
      span.setStatus({ code: SpanStatusCode.ERROR })
    },
    end: () => span.end(),
  }
}
