/** A TCP proxy to a local server with configurable latency. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { SuiteRedis } from './redis-of-suite.ts'

interface SlowLink {
  readonly port: number
  /** Sets the round-trip latency. */
  setLatency(roundTripMs: number): void
  close(): Promise<void>
}

/** Proxies to all servers of a Redis, which clients discover; with the value for `REDIS_URL`. */
export async function openSlowLinks(
  redis: SuiteRedis,
): Promise<Omit<SlowLink, 'port'> & { readonly url: string }> {
  const ports = redis.servers.map(({ url }) => Number(new URL(url).port))
  const links = new Map<number, SlowLink>()
  for (const port of ports) links.set(port, await openSlowLink(port))
  return {
    url: await redis.announce((own) => links.get(own)?.port ?? own),
    setLatency(roundTripMs) {
      for (const link of links.values()) link.setLatency(roundTripMs)
    },
    async close() {
      await Promise.all([...links.values()].map((link) => link.close()))
    },
  }
}

/** Opens it on a free port, initially without latency. */
async function openSlowLink(to: number): Promise<SlowLink> {
  let oneWayMs = 0
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: to, noDelay: true })
    near.setNoDelay()
    forward(near, far, () => oneWayMs)
    forward(far, near, () => oneWayMs)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    setLatency(roundTripMs) {
      oneWayMs = roundTripMs / 2
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** Preserves order if the latency changes meanwhile. */
function forward(from: Socket, to: Socket, delayMs: () => number): void {
  const underway: { readonly chunk: Buffer; readonly arrivesAt: number }[] = []
  let timer: NodeJS.Timeout | undefined
  const arrive = () => {
    timer = undefined
    const [next] = underway
    if (next === undefined) return
    const waitMs = next.arrivesAt - performance.now()
    if (waitMs > 0) {
      timer = setTimeout(arrive, waitMs)
      return
    }
    underway.shift()
    to.write(next.chunk)
    arrive()
  }
  from.on('data', (chunk) => {
    underway.push({ chunk, arrivesAt: performance.now() + delayMs() })
    if (timer === undefined) arrive()
  })
  from.on('error', () => undefined)
  from.once('close', () => {
    clearTimeout(timer)
    to.destroy()
  })
}
