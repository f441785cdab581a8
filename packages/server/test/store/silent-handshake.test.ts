/** A connection whose handshake gets no reply, such as one that a router or firewall has dropped. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { RedisLink } from '../../src/store/redis-link.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'

/** Leaves the first connections open without a reply; passes on the following ones. */
async function startProxy(port: number, silent: number): Promise<number> {
  let accepted = 0
  const proxy = createServer((socket) => {
    accepted += 1
    socket.on('error', () => undefined)
    if (accepted <= silent) return
    const server = connect(port, '127.0.0.1').on('error', () => undefined)
    socket.pipe(server).pipe(socket)
    socket.on('close', () => server.destroy())
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => void proxy.close())
  return (proxy.address() as AddressInfo).port
}

describeRedis('plain', 'a handshake without a reply', () => {
  it('is given up although no command is sent, until one succeeds', async () => {
    const redis = await startRedis('plain')
    onTestFinished(() => redis.stop())
    const port = await startProxy(redis.port, 2)
    const onReady = vi.fn()
    const onLost = vi.fn()
    const link = new RedisLink({
      address: () => ({ port }),
      timeoutMs: 1000,
      log: { info: vi.fn(), warn: vi.fn() },
      random: () => 0,
      monotonicNow: () => performance.now(),
      onReady,
      onLost,
    })
    onTestFinished(() => link.end().destroy())
    await expect.poll(() => onReady.mock.calls.length).toBe(1)
    expect(onLost).toHaveBeenCalledTimes(2)
    expect(String(onLost.mock.calls[0])).toContain('did not answer in time')
  })
})
