/** The network between one node and each Redis server, which can be partitioned without effect on other nodes. */

import { once } from 'node:events'
import { type AddressInfo, createServer, connect as openSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import type { RedisServer } from './redis.ts'

const PRELOADED = join(import.meta.dirname, '../fixtures/redirect-ports.mjs')

/** `refused`: closes connections and refuses new ones. `silent`: drops all data. */
export type Cut = 'refused' | 'silent'

export interface PartitionableNetwork {
  /** The variables for the node behind it. */
  readonly env: Readonly<Record<string, string>>
  cut(server: RedisServer, how: Cut): Promise<void>
  heal(server: RedisServer): Promise<void>
  close(): Promise<void>
}

/** The node with `env` reaches each server through a proxy. */
export async function startNetwork(servers: readonly RedisServer[]): Promise<PartitionableNetwork> {
  const proxies = new Map<RedisServer, Proxy>()
  for (const server of servers) proxies.set(server, await startProxy(server.port))
  const to = (server: RedisServer) => proxies.get(server)
  const pairs = servers.map((server) => `${server.port}:${to(server)?.port}`)
  return {
    env: { NODE_OPTIONS: `--import=${PRELOADED}`, REDIRECT_PORTS: pairs.join(',') },
    cut: async (server, how) => to(server)?.cut(how),
    heal: async (server) => to(server)?.heal(),
    close: async () => void (await Promise.all([...proxies.values()].map((each) => each.close()))),
  }
}

type Proxy = Awaited<ReturnType<typeof startProxy>>

async function startProxy(serverPort: number) {
  const pairs = new Set<readonly [Socket, Socket]>()
  let cut: Cut | undefined
  const server = createServer((fromNode) => {
    const toServer = openSocket(serverPort, '127.0.0.1')
    const pair = [fromNode, toServer] as const
    pairs.add(pair)
    for (const [one, other] of [pair, [toServer, fromNode] as const]) {
      one.on('error', () => undefined)
      one.on('close', () => {
        pairs.delete(pair)
        other.destroy()
      })
      one.pipe(other)
    }
    if (cut === 'silent') silence(pair)
  })
  const listenOn = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listenOn(0)
  const { port } = server.address() as AddressInfo
  const breakAll = () => {
    for (const [fromNode] of pairs) fromNode.destroy()
  }
  return {
    port,
    async cut(how: Cut): Promise<void> {
      cut = how
      if (how === 'silent') return pairs.forEach(silence)
      breakAll()
      await stop()
    },
    /** Silent connections stay silent until they are closed, as after a lost route. */
    async heal(): Promise<void> {
      if (cut === 'refused') await listenOn(port)
      cut = undefined
    },
    async close(): Promise<void> {
      breakAll()
      if (server.listening) await stop()
    },
  }

  async function stop(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    await closed
  }
}

function silence(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) {
    socket.unpipe()
    socket.pause()
  }
}
