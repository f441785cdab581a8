/**
 * A minimal round-robin load balancer for tests and for trying several nodes on one machine. Has no
 * session affinity, inspects nothing, and buffers nothing. Skips nodes that refuse connections or
 * are not ready.
 */

import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  get,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { pipeline } from 'node:stream'

export interface BalancerOptions {
  /** Ports of the nodes on this machine. */
  readonly nodes: readonly number[]
  /** The port to listen on; a free one by default. */
  readonly port?: number
  /** The path of the readiness probe, such as `/readyz`; without it, nodes count as ready. */
  readonly readyPath?: string
  /** The index of the node to try first; round-robin by default. */
  readonly firstNode?: (path: string) => number
  /** How to forward a request to the chosen node; unchanged in both directions by default. */
  readonly handOver?: HandOver
}

/** Forwards a request to a node on a dedicated socket, and returns the response. */
export type HandOver = (
  request: IncomingMessage,
  response: ServerResponse,
  to: { readonly node: number; readonly socket: Socket },
) => void

export interface Balancer {
  readonly url: string
  /** The number of requests per node, by index. */
  readonly served: readonly number[]
  /** Whether each node was ready at its last probe; true without probes. */
  readonly ready: readonly boolean[]
  /** Aborts all open connections, like a network failure. */
  cut(): void
  close(): Promise<void>
}

/** RFC 9110, section 7.6.1: hop-by-hop headers, which are not forwarded. */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
])

const LOOK_EVERY_MS = 200
/** A node that takes longer to answer a probe is not ready; a busy one may take a second. */
const PROBE_TIMEOUT_MS = 3000

/** Longer than clients keep idle connections: one that closes while a request arrives loses it. */
const KEEP_ALIVE_MS = 120_000

/** Starts the balancer. Rejects if the port is in use. */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { nodes, port = 0, readyPath, handOver = passOn } = options
  const served = nodes.map(() => 0)
  const watch = watchNodes(nodes, readyPath)
  const { firstNode = takeTurns(nodes) } = options

  /** The first node in turn that accepts a connection; tries all if none is ready. */
  async function nextNode(path: string) {
    const first = firstNode(path)
    const inTurn = nodes.map((_, offset) => (first + offset) % nodes.length)
    const isReady = (index: number) => watch.ready[index] === true
    const byChance = [...inTurn.filter(isReady), ...inTurn.filter((index) => !isReady(index))]
    for (const index of byChance) {
      const socket = await open(nodes[index] ?? 0)
      if (socket === undefined) continue
      served[index] = (served[index] ?? 0) + 1
      return { node: index, socket }
    }
    return undefined
  }

  const server = createServer((request, response) => {
    void nextNode(request.url ?? '/').then((to) => {
      if (response.destroyed) to?.socket.destroy()
      else if (to !== undefined) handOver(request, response, to)
      else response.writeHead(503, { 'retry-after': '1' }).end()
    })
  })
  // Streams have no time limit here; the nodes enforce their own.
  server.requestTimeout = 0
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    served,
    ready: watch.ready,
    cut: () => server.closeAllConnections(),
    async close() {
      watch.stop()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function takeTurns(nodes: readonly number[]): () => number {
  let next = 0
  return () => {
    const first = next
    next = (next + 1) % nodes.length
    return first
  }
}

/** The readiness of each node, as of the last probe: one at a time, so that the last one counts. */
function watchNodes(nodes: readonly number[], path: string | undefined) {
  const ready = nodes.map(() => true)
  if (path === undefined) return { ready, stop: () => undefined }
  const probing = new Set<number>()
  const look = async (port: number, index: number) => {
    if (probing.has(index)) return
    probing.add(index)
    ready[index] = await probe(port, path).catch(() => false)
    probing.delete(index)
  }
  const timer = setInterval(() => nodes.forEach(look), LOOK_EVERY_MS)
  return { ready, stop: () => clearInterval(timer) }
}

/** Whether a node is ready. Its connection is not kept: idle ones would count as open at the node. */
async function probe(port: number, path: string): Promise<boolean> {
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS)
  const request = get({ host: '127.0.0.1', port, path, agent: false, signal })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  // An abort from here on changes nothing.
  for (const each of [request, response.resume()]) each.on('error', () => undefined)
  return response.statusCode === 200
}

/** Opens a new connection per request: a pooled one could lead to a node that has restarted. */
async function open(port: number): Promise<Socket | undefined> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    return undefined
  }
}

/** Forwards unchanged in both directions. */
export const passOn: HandOver = (request, response, { socket }) => {
  const toNode = sendTo(socket, request, response, (answer) => {
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers)).flushHeaders()
    // Closing either side closes the other.
    pipeline(answer, response, () => undefined)
  })
  request.pipe(toNode)
}

/** Sends the head of a request to a node. Closing either side closes the other. */
export function sendTo(
  socket: Socket,
  request: IncomingMessage,
  response: ServerResponse,
  onAnswer: (answer: IncomingMessage) => void,
): ClientRequest {
  const { method, url } = request
  const headers = { ...endToEnd(request.headers), 'x-forwarded-for': forwardedFor(request) }
  const options = { method, path: url, headers, createConnection: () => socket }
  const toNode = send(options, onAnswer)
  toNode.on('error', () => {
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  })
  response.on('close', () => toNode.destroy())
  return toNode
}

/** Appends the caller's address, as each proxy does. */
function forwardedFor({ headers, socket }: IncomingMessage): string {
  return [headers['x-forwarded-for'] ?? [], socket.remoteAddress ?? 'unknown'].flat().join(', ')
}

/** The end-to-end headers of a request or response. */
export function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name))
  return Object.fromEntries(kept)
}
