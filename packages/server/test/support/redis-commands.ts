/** Sends single commands to servers of a topology, and polls for expected replies. */

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'

/** Sends one command on a new connection; rejects without a reply within 10 s. */
export async function sendToRedis(
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

/** Polls until the condition holds; ignores errors meanwhile. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 120_000
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > giveUpAt) throw new Error('the topology is not ready')
    await sleep(50)
  }
}
