/** Counters in Redis that restart when their window ends. */

import { checkedIncrement } from './increment.ts'
import type { Counted } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'
import { defineScript } from './redis-scripts.ts'
import { toMilliseconds } from './time-to-live.ts'

/** Creates the key together with its expiry, which INCRBY keeps, so that every key expires. */
const COUNT = defineScript(`
redis.call('SET', KEYS[1], '0', 'PX', ARGV[1], 'NX')
return {redis.call('INCRBY', KEYS[1], ARGV[2]), redis.call('PTTL', KEYS[1])}
`)

/** Adds `by`; the first call starts a window of `ttlSeconds`. The key includes the prefix. */
export async function countInRedis(
  redis: RedisConnection,
  key: string,
  ttlSeconds: number,
  by = 1,
): Promise<Counted> {
  const given = [String(toMilliseconds(ttlSeconds)), String(checkedIncrement(by))]
  const [count, leftMs] = (await redis.script(COUNT, [key], given)) as [unknown, unknown]
  return { count: Number(count), windowLeftMs: Math.max(1, Number(leftMs)) }
}
