/** A follower of streams at a server that is demoted to a replica, which lags behind. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished, vi } from 'vitest'
import { RedisFollower } from '../../src/store/redis-follower.ts'
import { respOf, startFakeRedis } from '../support/fake-redis.ts'

const IDS = ['1-0', '2-0', '3-0']

it('does not read the end of the stream there, and delivers each entry once', async () => {
  let isReplica = false
  let now = 0
  let asked = 0
  const entry = (id: string) => [id, ['value', id]]
  const port = await startFakeRedis(async ([name, ...args]) => {
    const ids = isReplica ? IDS.slice(0, 1) : IDS
    if (name === 'HELLO') {
      asked += 1
      return respOf(['role', isReplica ? 'replica' : 'master'])
    }
    if (name === 'XREVRANGE') return respOf([entry(ids.at(-1) ?? '')])
    if (name !== 'XREAD') return '+OK\r\n'
    const after = ids.filter((id) => id > (args.at(-1) ?? ''))
    if (after.length > 0) return respOf([['mcp:s', after.map(entry)]])
    await sleep(5)
    return respOf(null)
  })
  const seen: string[] = []
  const follower = new RedisFollower(
    [{ key: 's', name: 'mcp:s', after: '0-0' }],
    (_, { id }) => void seen.push(id),
    {
      ...{ timeoutMs: 1000, random: () => 0, monotonicNow: () => now },
      log: { info: vi.fn(), warn: vi.fn() },
      hosts: {
        addressOf: () => ({ host: '127.0.0.1', port, protocol: 2 }),
        onChange: () => () => undefined,
        suspect: () => undefined,
      },
    },
  )
  onTestFinished(() => follower.close())
  /** The follower looks for a new end of the stream, and for the role. */
  const locates = async () => {
    const before = asked
    now += 10_000
    await expect.poll(() => asked).toBeGreaterThan(before + 1)
  }
  await expect.poll(() => seen).toEqual(IDS)
  isReplica = true
  await locates()
  isReplica = false
  const before = asked
  await expect.poll(() => asked).toBeGreaterThan(before)
  IDS.push('4-0')
  await expect.poll(() => seen).toContain('4-0')
  expect(seen).toEqual(IDS)
})
