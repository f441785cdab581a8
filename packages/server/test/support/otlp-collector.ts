/** A trace collector: receives OTLP over HTTP with JSON, and records the spans. */

import { createServer, type IncomingHttpHeaders } from 'node:http'
import { listen } from '../../src/http/http-server.ts'

export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly isError: boolean
  /** The ids of the spans that it links to. */
  readonly links: readonly string[]
  /** The service name. */
  readonly service: unknown
}

export interface Collector {
  /** The value for OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string
  readonly spans: readonly CollectedSpan[]
  /** All raw bodies, to search for leaks. */
  readonly bodies: readonly string[]
  readonly headers: readonly IncomingHttpHeaders[]
  close(): void
}

export async function startCollector(status = 200): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const bodies: string[] = []
  const headers: IncomingHttpHeaders[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (request.url === '/v1/traces') {
      bodies.push(body)
      headers.push(request.headers)
      spans.push(...spansIn(JSON.parse(body)))
    }
    const known = request.url === '/v1/traces' ? status : 404
    response.writeHead(known, { 'content-type': 'application/json' }).end('{}')
  })
  const port = await listen(server, '127.0.0.1', 0)
  function close() {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, spans, bodies, headers, close }
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

/** OTLP 1, trace service: the parts that tests use. */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[]
  }[]
}

interface WireSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code?: number }
  readonly links?: readonly { readonly spanId: string }[]
}

const STATUS_ERROR = 2

function spansIn({ resourceSpans }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name, attributes, status, links = [] }) => ({
        ...{ traceId, spanId, name },
        parentSpanId: parentSpanId || undefined,
        attributes: valuesOf(attributes),
        isError: status.code === STATUS_ERROR,
        links: links.map((link) => link.spanId),
        service: valuesOf(resource.attributes)['service.name'],
      })),
    ),
  )
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
