/** A Redis server whose replies the tests set. */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** The reply to a command, as RESP. */
type Reply = (args: readonly string[]) => string | Promise<string>

/** Returns the port. Stops with the test. */
export async function startFakeRedis(reply: Reply): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    let written = Promise.resolve()
    socket.on('data', (chunk) => {
      for (const args of commandsIn(String(chunk))) {
        written = written.then(async () => void socket.write(await reply(args)))
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** Commands without line breaks, each in one packet. */
function commandsIn(text: string): readonly (readonly string[])[] {
  return text
    .split(/^\*\d+\r\n/m)
    .filter((command) => command !== '')
    .map((command) => command.split('\r\n').filter((_, line) => line % 2 === 1))
}

/** An array of texts and of arrays; null for none. */
export function respOf(value: unknown): string {
  if (value === null) return '*-1\r\n'
  if (Array.isArray(value)) return `*${value.length}\r\n${value.map(respOf).join('')}`
  return `$${Buffer.byteLength(String(value))}\r\n${value}\r\n`
}

/** The error of a server without the command, as Redis 6 words it. */
export function unknownCommand([name, ...args]: readonly string[]): string {
  const echoed = args.map((arg) => `\`${arg}\`, `).join('')
  return `-ERR unknown command \`${name}\`, with args beginning with: ${echoed}\r\n`
}
