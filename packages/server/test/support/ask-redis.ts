/** Single commands to servers of a topology, and waiting for what they say. */

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'

/** One command on a connection of its own; rejects if it is not answered within 10 s. */
export async function askRedis(
  { port }: { readonly port: number },
  ...args: readonly string[]
): Promise<unknown> {
  const client = createClient({
    ...{ url: `redis://127.0.0.1:${port}`, RESP: 2 },
    socket: { reconnectStrategy: false, connectTimeout: 10_000 },
    commandOptions: { timeout: 10_000 },
  })
  client.on('error', () => undefined)
  const clock = setTimeout(() => client.destroy(), 10_000)
  try {
    await client.connect()
    return await client.sendCommand([...args])
  } finally {
    clearTimeout(clock)
    if (client.isOpen) client.destroy()
  }
}

/** Waits until it is so; an error counts as not yet. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 60_000
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > giveUpAt) throw new Error('the topology is not ready')
    await sleep(50)
  }
}
