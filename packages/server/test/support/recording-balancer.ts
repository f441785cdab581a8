/** The load balancer of `npm run cluster`, which records requests and lets tests intercept them. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import {
  type Balancer,
  endToEnd,
  type HandOver,
  sendTo,
  startBalancer,
} from '../../../../scripts/cluster/balancer.ts'

/** One request and its response. */
export interface Exchange {
  /** The index of the node that served it. */
  readonly node: number
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly answer: { status: number; headers: IncomingHttpHeaders; body: string }
}

export interface RecordingBalancer extends Balancer {
  readonly exchanges: readonly Exchange[]
  /** Routes all requests to one node; without one, round-robin again. */
  pin(node?: number): void
}

export interface Interference {
  /** Responds in place of the nodes, with JSON; or delays a request. */
  readonly intercept?: (exchange: Exchange) => Interception | Promise<Interception>
  /** Replaces the body of a response that is not a stream. */
  readonly rewrite?: (exchange: Exchange) => string | undefined
}

type Interception = { readonly status: number; readonly body?: string } | undefined

export interface RecordingOptions extends Interference {
  /** Ports of the nodes on this machine. */
  readonly nodes: readonly number[]
  /** Maps the path's first segment to its round-robin group. */
  readonly turnsBy?: (segment: string) => string
}

/** Starts it on a free port. Buffers requests, streams responses. */
export async function startRecordingBalancer(
  options: RecordingOptions,
): Promise<RecordingBalancer> {
  const { nodes, turnsBy = (segment) => segment } = options
  const exchanges: Exchange[] = []
  const turns = new Map<string, number>()
  let pinned: number | undefined

  function firstNode(path: string): number {
    if (pinned !== undefined) return pinned
    const key = turnsBy(/^\/(\w*)/.exec(path)?.[1] ?? '')
    const turn = turns.get(key) ?? 0
    turns.set(key, turn + 1)
    return turn % nodes.length
  }

  const handOver = recordingHandOver(options, (exchange) => void exchanges.push(exchange))
  const balancer = await startBalancer({ nodes, firstNode, handOver })
  return {
    ...balancer,
    exchanges,
    pin(node) {
      pinned = node
    },
  }
}

function recordingHandOver(
  { intercept, rewrite }: Interference,
  record: (exchange: Exchange) => void,
): HandOver {
  return async (request, response, { node, socket }) => {
    const { method = 'GET', url: path = '/', headers } = request
    const body = await wholeBody(request)
    // The client disconnected before the end of the request.
    if (body === undefined) return void socket.destroy()
    const answer = { status: 0, headers: {}, body: '' }
    const exchange = { node, method, path, headers, body, answer }
    record(exchange)
    const intercepted = await intercept?.(exchange)
    if (intercepted === undefined) {
      const toNode = sendTo(socket, request, response, (incoming) =>
        passOn(incoming, exchange, response, rewrite),
      )
      return void toNode.end(body)
    }
    socket.destroy()
    Object.assign(answer, intercepted)
    response.writeHead(intercepted.status, { 'content-type': 'application/json' })
    response.end(intercepted.body)
  }
}

async function wholeBody(request: IncomingMessage): Promise<string | undefined> {
  try {
    return Buffer.concat(await request.toArray()).toString()
  } catch {
    return undefined
  }
}

function passOn(
  incoming: IncomingMessage,
  { answer, ...exchange }: Exchange,
  response: ServerResponse,
  rewrite: Interference['rewrite'],
): void {
  const { statusCode: status = 502, headers } = incoming
  Object.assign(answer, { status, headers })
  const isStream = headers['content-type']?.startsWith('text/event-stream') === true
  if (isStream) response.writeHead(status, endToEnd(headers)).flushHeaders()
  incoming.setEncoding('utf8').on('data', (text: string) => {
    answer.body += text
    if (isStream) response.write(text)
  })
  incoming.on('end', () => {
    if (isStream) return response.end()
    const { 'content-length': _, ...kept } = endToEnd(headers)
    const body = rewrite?.({ ...exchange, answer }) ?? answer.body
    return response.writeHead(status, kept).end(body)
  })
  incoming.on('error', () => response.destroy())
}
