/** The cost of a client: node-redis builds a class with hundreds of methods for each set of options. */

import { expect, it, onTestFinished } from 'vitest'
import { createRedisClient, type RedisProtocol } from '../../src/store/redis-client.ts'

it.each([2, 3] as const)(
  'clients of RESP %d share one class, whatever their addresses',
  (protocol) => {
    const open = (port: number, other: RedisProtocol = protocol) => {
      const address = { host: '127.0.0.1', port, password: `of ${port}` }
      const client = createRedisClient(address, 1000, Math.random, other)
      client.on('error', () => undefined)
      onTestFinished(() => {
        if (client.isOpen) client.destroy()
      })
      return client
    }
    const [one, , other] = [open(1), open(2, protocol === 2 ? 3 : 2), open(3)]
    expect(other?.constructor).toBe(one?.constructor)
    expect(one?.options.RESP).toBe(protocol)
    expect([one, other].map((client) => client?.options.socket)).toMatchObject([
      { port: 1 },
      { port: 3 },
    ])
  },
)
