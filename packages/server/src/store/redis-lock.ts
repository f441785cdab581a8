/** Distributed locks in Redis: one holder at a time, with a fencing token against late writers. */

import type { Lock } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'
import { defineScript } from './redis-scripts.ts'
import { toMilliseconds } from './time-to-live.ts'

/** The last token outlives its lock, in case the server's clock is set back. */
const FENCE_TTL_SECONDS = 24 * 60 * 60

/**
 * The token is the server's time in microseconds, or one more than the last. It is written first,
 * so that nothing is locked when the server is out of memory.
 */
const ACQUIRE = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local time = redis.call('TIME')
local token = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
if token <= last then token = last + 1 end
local text = string.format('%.0f', token)
redis.call('SET', KEYS[2], text, 'PX', ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return text
`)

const EXTEND = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

const RELEASE = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

/**
 * Acquires the lock; undefined when another holder has it.
 * @param keys the lock's key and the one of its last token, in one slot
 * @param holder a value unique to this holder
 */
export async function acquireRedisLock(
  redis: RedisConnection,
  keys: readonly [holder: string, lastToken: string],
  holder: string,
  ttlSeconds: number,
): Promise<Lock | undefined> {
  const ttl = toMilliseconds(ttlSeconds)
  const fenceTtl = Math.max(toMilliseconds(FENCE_TTL_SECONDS), ttl)
  const token = await redis.script(ACQUIRE, keys, [holder, String(ttl), String(fenceTtl)])
  if (token === null) return undefined

  return {
    token: Number(token),
    async extend(ttlSeconds) {
      const args = [holder, String(toMilliseconds(ttlSeconds))]
      return (await redis.script(EXTEND, [keys[0]], args)) === 1
    },
    async release() {
      // A failed release must not hide the result of the work under the lock; the lock expires.
      await redis.script(RELEASE, [keys[0]], [holder]).catch(() => undefined)
    },
  }
}
