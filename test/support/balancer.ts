/** A balancer as plain as they come: one request here, the next one there; it remembers them all. */

import { createServer, type IncomingHttpHeaders, request as send } from 'node:http'
import { listen } from '../../src/http/server.ts'

/** One request and what came back. */
export interface Exchange {
  /** Which node served it, by its place in the list. */
  readonly node: number
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly answer: {
    status: number
    headers: IncomingHttpHeaders
    body: string
  }
}

export interface Balancer {
  readonly url: string
  readonly exchanges: readonly Exchange[]
  /** The exchanges whose path begins like this. */
  at(path: string): readonly Exchange[]
  close(): Promise<void>
}

export interface BalancerOptions {
  /** Ports of the nodes on this machine. */
  readonly nodes: readonly number[]
  /** Takes turns for each of these by itself, so that a client's requests alternate strictly. */
  readonly turnsBy?: (path: string) => string
  /** Answers in place of the nodes, with a status and no body. */
  readonly refuse?: (exchange: Exchange) => number | undefined
  /** Replaces the body of an answer that is not a stream. */
  readonly rewrite?: (exchange: Exchange) => string | undefined
}

/** `/mcp`, the pages and the demo's paths have their own turns. */
const FIRST_SEGMENT = (path: string) => /^\/\w*/.exec(path)?.[0] ?? path

/** Starts it on a free port. Answers are passed on as they come; nothing is retried. */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { nodes, turnsBy = FIRST_SEGMENT } = options
  const exchanges: Exchange[] = []
  const turns = new Map<string, number>()

  function nextNode(path: string): number {
    const key = turnsBy(path)
    const turn = turns.get(key) ?? 0
    turns.set(key, turn + 1)
    return turn % nodes.length
  }

  const server = createServer(async (req, res) => {
    const { method = 'GET', url: path = '/', headers } = req
    const chunks = await req.toArray()
    const exchange: Exchange = {
      ...{ node: nextNode(path), method, path, headers },
      body: Buffer.concat(chunks).toString(),
      answer: { status: 0, headers: {}, body: '' },
    }
    exchanges.push(exchange)
    const refused = options.refuse?.(exchange)
    if (refused !== undefined) {
      exchange.answer.status = refused
      res.writeHead(refused).end()
      return
    }
    const target = { host: '127.0.0.1', port: nodes[exchange.node], path, method, headers }
    // No kept connections: a restarted node must not be met on an old one.
    const forwarded = send({ ...target, agent: false }, (answer) => {
      const { statusCode: status = 502 } = answer
      Object.assign(exchange.answer, { status, headers: answer.headers })
      const isStream = answer.headers['content-type']?.startsWith('text/event-stream')
      if (isStream) res.writeHead(status, answer.headers).flushHeaders()
      answer.setEncoding('utf8').on('data', (text: string) => {
        exchange.answer.body += text
        if (isStream) res.write(text)
      })
      answer.on('end', () => {
        if (isStream) return res.end()
        const body = options.rewrite?.(exchange) ?? exchange.answer.body
        const { 'content-length': _, 'transfer-encoding': __, ...kept } = answer.headers
        return res.writeHead(status, kept).end(body)
      })
      answer.on('error', () => res.destroy())
    })
    forwarded.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()))
    res.on('close', () => forwarded.destroy())
    forwarded.end(exchange.body)
  })

  const port = await listen(server, '127.0.0.1', 0)
  return {
    url: `http://localhost:${port}`,
    exchanges,
    at: (path) => exchanges.filter((exchange) => exchange.path.startsWith(path)),
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
