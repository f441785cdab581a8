/** A balancer as plain as they come: one request here, the next one there; it remembers them all. */

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http'
import { listen } from '../../src/http/server.ts'

/** One request and what came back. */
export interface Exchange {
  /** Which node served it, by its place in the list. */
  readonly node: number
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly answer: { status: number; headers: IncomingHttpHeaders; body: string }
}

export interface Balancer {
  readonly url: string
  readonly exchanges: readonly Exchange[]
  /** Sends everything to one node; to all in turn again without one. */
  pin(node?: number): void
  close(): Promise<void>
}

export interface BalancerOptions {
  /** Ports of the nodes on this machine. */
  readonly nodes: readonly number[]
  /** Turns are taken by the path's first segment, or by what this makes of it. */
  readonly turnsBy?: (segment: string) => string
  /** Answers in place of the nodes, with JSON; or holds a request back until it is decided. */
  readonly intercept?: (exchange: Exchange) => Interception | Promise<Interception>
  /** Replaces the body of an answer that is not a stream. */
  readonly rewrite?: (exchange: Exchange) => string | undefined
}

type Interception = { readonly status: number; readonly body?: string } | undefined

/** Starts it on a free port. Answers are passed on as they come; nothing is retried. */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { nodes, turnsBy = (segment) => segment, intercept, rewrite } = options
  const exchanges: Exchange[] = []
  const turns = new Map<string, number>()
  let pinned: number | undefined

  function nextNode(path: string): number {
    if (pinned !== undefined) return pinned
    const key = turnsBy(/^\/(\w*)/.exec(path)?.[1] ?? '')
    const turn = turns.get(key) ?? 0
    turns.set(key, turn + 1)
    return turn % nodes.length
  }

  const server = createServer(async (req, res) => {
    const { method = 'GET', url: path = '/', headers } = req
    const body = Buffer.concat(await req.toArray()).toString()
    const answer = { status: 0, headers: {}, body: '' }
    const exchange = { node: nextNode(path), method, path, headers, body, answer }
    exchanges.push(exchange)
    const intercepted = await intercept?.(exchange)
    if (intercepted === undefined) return forward(exchange, nodes[exchange.node], res, rewrite)
    Object.assign(answer, intercepted)
    res.writeHead(intercepted.status, { 'content-type': 'application/json' })
    return res.end(intercepted.body)
  })

  const port = await listen(server, '127.0.0.1', 0)
  return {
    url: `http://localhost:${port}`,
    exchanges,
    pin(node) {
      pinned = node
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function forward(
  exchange: Exchange,
  port: number | undefined,
  res: ServerResponse,
  rewrite: BalancerOptions['rewrite'],
): void {
  const { path, method, headers, body } = exchange
  // No kept connections: a restarted node must not be met on an old one.
  const target = { host: '127.0.0.1', port, path, method, headers, agent: false }
  const request = send(target, (answer) => passOn(answer, exchange, res, rewrite))
  request.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()))
  res.on('close', () => request.destroy())
  request.end(body)
}

function passOn(
  incoming: IncomingMessage,
  { answer, ...exchange }: Exchange,
  res: ServerResponse,
  rewrite: BalancerOptions['rewrite'],
): void {
  const { statusCode: status = 502, headers } = incoming
  Object.assign(answer, { status, headers })
  const isStream = headers['content-type']?.startsWith('text/event-stream') === true
  if (isStream) res.writeHead(status, headers).flushHeaders()
  incoming.setEncoding('utf8').on('data', (text: string) => {
    answer.body += text
    if (isStream) res.write(text)
  })
  incoming.on('end', () => {
    if (isStream) return res.end()
    const { 'content-length': _, 'transfer-encoding': __, ...kept } = headers
    return res.writeHead(status, kept).end(rewrite?.({ ...exchange, answer }) ?? answer.body)
  })
  incoming.on('error', () => res.destroy())
}
