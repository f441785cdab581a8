/** Servers that echo the arguments of a command that they lack: passwords, keys and values. */

import { inspect } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis.ts'
import { startFakeRedis, unknownCommand } from '../support/fake-redis.ts'

const SECRET = 'canary-secret'

function openStore(options: Omit<RedisStoreOptions, 'log'>) {
  const lines: string[] = []
  const note = (fields: object, message: string) =>
    void lines.push(`${message} ${inspect(fields, { depth: 6 })}`)
  const store = createRedisStore({ ...options, log: { info: note, warn: note } })
  onTestFinished(() => store.close())
  return { store, lines }
}

const SENTINEL = { sentinel: { name: 'main' }, sentinelPassword: SECRET }

it.each([
  ['HELLO of RESP 3', 'redis', { protocol: 3 }],
  ['AUTH of RESP 2', 'redis', { protocol: 2 }],
  ['AUTH after HELLO', 'redis', {}],
  ['AUTH of the discovery of a cluster', 'redis+cluster', {}],
  ['AUTH of Sentinels', 'redis+sentinel', SENTINEL],
] as const)('does not log a password that is echoed: %s', async (_, scheme, options) => {
  const port = await startFakeRedis(unknownCommand)
  const path = scheme === 'redis+sentinel' ? '/main' : ''
  const url = `${scheme}://127.0.0.1:${port}${path}`
  const { store, lines } = openStore({ url, password: SECRET, ...options })
  const isLogged = () => lines.some((line) => line.includes('ERR unknown command'))
  await expect.poll(isLogged).toBe(true)
  const failure: unknown = await store.get('{s}:one').catch((error: unknown) => error)
  expect(inspect([lines, failure], { depth: 6 })).not.toContain(SECRET)
})

it('does not log the names of streams that are echoed', async () => {
  const port = await startFakeRedis((args) =>
    args[0] === 'XREVRANGE' ? unknownCommand(args) : '+OK\r\n',
  )
  const { store, lines } = openStore({ url: `redis://127.0.0.1:${port}`, protocol: 2 })
  const follower = await store.streams.follow(['{s}'], () => undefined)
  onTestFinished(() => follower.close())
  const refused = () => lines.find((line) => line.startsWith('Redis refuses stream reads')) ?? ''
  await expect.poll(refused).toContain('ERR unknown command')
  expect(refused()).not.toContain('with args')
})
