/**
 * A round-robin balancer as plain as they come, for tests and for trying several nodes on one
 * machine. It knows nothing of sessions, looks at nothing, and holds nothing back. Nodes that refuse
 * or say that they are not ready are passed over.
 */

import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
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
  /** The port to listen on; a free one if left out. */
  readonly port?: number
  /** What nodes are asked, over and over, such as `/readyz`; they count as ready if left out. */
  readonly readyPath?: string
  /** The place in the list of the node that is tried first; one after the other if left out. */
  readonly firstNode?: (path: string) => number
  /** How a request reaches the node whose turn it is; as it comes, both ways, if left out. */
  readonly handOver?: HandOver
}

/** Brings a request to a node by a socket that is for this request alone, and the answer back. */
export type HandOver = (
  request: IncomingMessage,
  response: ServerResponse,
  to: { readonly node: number; readonly socket: Socket },
) => void

export interface Balancer {
  readonly url: string
  /** How many requests each node was given, by its place in the list. */
  readonly served: readonly number[]
  /** Breaks off everything that is open, as a network would. */
  cut(): void
  close(): Promise<void>
}

/** RFC 9110, section 7.6.1: what concerns one connection only, and is not passed on. */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
])

const LOOK_EVERY_MS = 200

/** Starts it. Rejects when the port is in use. */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { nodes, port = 0, readyPath, handOver = passOn } = options
  const served = nodes.map(() => 0)
  const watch = readyPath === undefined ? undefined : watchNodes(nodes, readyPath)
  const { firstNode = takeTurns(nodes) } = options

  /** The first node in turn that takes a connection; where none is ready, all are tried. */
  async function nextNode(path: string) {
    const first = firstNode(path)
    const inTurn = nodes.map((_, offset) => (first + offset) % nodes.length)
    const isReady = (index: number) => watch?.ready[index] ?? true
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
  // Streams are open for as long as they like; the nodes have limits of their own.
  server.requestTimeout = 0
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    served,
    cut: () => server.closeAllConnections(),
    async close() {
      watch?.stop()
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

/** Which nodes say that they are ready, as of the last look. */
function watchNodes(nodes: readonly number[], path: string) {
  const ready = nodes.map(() => true)
  const look = async (port: number, index: number) => {
    const signal = AbortSignal.timeout(LOOK_EVERY_MS * 5)
    ready[index] = await fetch(`http://127.0.0.1:${port}${path}`, { signal }).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  const timer = setInterval(() => nodes.forEach(look), LOOK_EVERY_MS)
  return { ready, stop: () => clearInterval(timer) }
}

/** A connection of its own for each request: a node that was restarted is not met on an old one. */
async function open(port: number): Promise<Socket | undefined> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    return undefined
  }
}

/** As it comes, both ways. */
export const passOn: HandOver = (request, response, { socket }) => {
  const toNode = sendTo(socket, request, response, (answer) => {
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers)).flushHeaders()
    // Either side going away ends the other.
    pipeline(answer, response, () => undefined)
  })
  request.pipe(toNode)
}

/** Repeats a request to a node, up to its body. Either side going away ends the other. */
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

/** Each proxy adds the address it was called from, at the end. */
function forwardedFor({ headers, socket }: IncomingMessage): string {
  return [headers['x-forwarded-for'] ?? [], socket.remoteAddress ?? 'unknown'].flat().join(', ')
}

/** What is passed on of a request's or an answer's headers. */
export function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name))
  return Object.fromEntries(kept)
}
