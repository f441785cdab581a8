/** A real forward proxy on loopback: opens tunnels by CONNECT, and records the requests. */

import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ConnectProxy {
  /** `127.0.0.1:<port>` */
  readonly host: string
  /** `host:port`, in the order of the tunnels. */
  readonly tunnels: readonly string[]
  /** `Proxy-Authorization` of each. */
  readonly authorizations: readonly (string | undefined)[]
  /** The number of open tunnels. */
  open(): number
  close(): Promise<void>
}

export interface ConnectProxyOptions {
  /** Resolves a name to `host:port`; by default the name itself. */
  readonly names?: Readonly<Record<string, string>>
  /** The required `Proxy-Authorization`. */
  readonly wants?: string
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const { names = {}, wants } = options
  const tunnels: string[] = []
  const authorizations: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createServer((_, res) => res.writeHead(501).end())
  server.on('connection', track)
  server.on('connect', (req: IncomingMessage, client: Socket) => {
    const target = req.url ?? ''
    tunnels.push(target)
    authorizations.push(req.headers['proxy-authorization'])
    if (wants !== undefined && req.headers['proxy-authorization'] !== wants) {
      return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    }
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(names[target] ?? target) ?? []
    const origin = connect(Number(port), host.replace(/^\[|\]$/g, ''), () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      origin.pipe(client).pipe(origin)
    })
    track(origin)
    origin.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.on('close', () => origin.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    tunnels,
    authorizations,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
