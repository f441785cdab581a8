/** Redis Streams: written and read on the store's connection, followed on connections of their own. */

import { storeUnavailable } from '../errors.ts'
import type { RedisConnection } from './redis-connection.ts'
import { RedisFollower, type RedisFollowerOptions } from './redis-follower.ts'
import type { RedisKeys } from './redis-keys.ts'
import { defineScript } from './redis-scripts.ts'
import { readEntries, readLastId, VALUE_FIELD } from './redis-stream-commands.ts'
import { formatStreamId, parseStreamId, positiveInteger } from './stream-ids.ts'
import type { AppendOptions, Follower, Streams } from './streams.ts'
import { toMilliseconds } from './time-to-live.ts'

/**
 * KEYS: the stream, documents that must exist, its byte count if it has a bound. ARGV: id or '*',
 * value, length, milliseconds, 1 if the last document is deleted, the bound in bytes or 0.
 *
 * Bytes are bounded in halves: once half the bound has been appended since the mark, entries older
 * than the mark are trimmed, and the newest entry becomes the mark.
 */
const APPEND = defineScript(`
local most = tonumber(ARGV[6])
local documents = most > 0 and #KEYS - 1 or #KEYS
for i = 2, documents do
  if redis.call('EXISTS', KEYS[i]) == 0 then return false end
end
local id = redis.pcall(
  'XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[1], '${VALUE_FIELD}', ARGV[2])
if type(id) == 'table' then
  if string.find(id.err, 'equal or smaller', 1, true) then return false end
  return id
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if ARGV[5] == '1' then redis.call('DEL', KEYS[documents]) end
if most > 0 then
  local count = KEYS[#KEYS]
  if redis.call('HINCRBY', count, 'bytes', #ARGV[2]) * 2 >= most then
    local mark = redis.call('HGET', count, 'mark')
    if mark then
      redis.call('XTRIM', KEYS[1], 'MINID', mark)
      redis.call('XDEL', KEYS[1], mark)
    end
    redis.call('HSET', count, 'bytes', 0, 'mark', id)
  end
  redis.call('PEXPIRE', count, ARGV[4])
end
return id
`)

/** @param options for the connections of followers, one each */
export function createRedisStreams(
  redis: RedisConnection,
  keys: RedisKeys,
  options: RedisFollowerOptions,
): Streams & { close(): Promise<void> } {
  return {
    async append(key, value, options) {
      const [names, args] = appendArguments(keys, key, value, options)
      const written = await redis.script(APPEND, names, args)
      return typeof written === 'string' ? written : undefined
    },

    async read(key, after, limit) {
      const id = formatStreamId(parseStreamId(after))
      if (limit !== undefined) positiveInteger(limit)
      return readEntries(redis.command, keys.stream(key), id, limit)
    },

    last: async (key) => readLastId(redis.command, keys.stream(key)),

    async trim(key, upTo) {
      const [milliseconds, number] = parseStreamId(upTo)
      const next = formatStreamId([milliseconds, number + 1])
      const name = keys.stream(key)
      await redis.command(['XTRIM', name, 'MINID', next], name)
    },

    ...createRedisFollowers(keys, options),
  }
}

/** KEYS and ARGV of `APPEND`. */
function appendArguments(keys: RedisKeys, key: string, value: string, options: AppendOptions) {
  const { maxLength, maxBytes, ttlSeconds, sequence, onlyIf, takes } = options
  const id = sequence === undefined ? '*' : `0-${positiveInteger(sequence)}`
  const conditions = [onlyIf, takes].filter((document) => document !== undefined)
  const names = [keys.stream(key), ...conditions.map(keys.document)]
  if (maxBytes !== undefined) names.push(keys.streamBytes(key))
  const limits = [positiveInteger(maxLength), toMilliseconds(ttlSeconds)].map(String)
  const takesLast = takes === undefined ? '0' : '1'
  const bytes = maxBytes === undefined ? '0' : String(positiveInteger(maxBytes))
  return [names, [id, value, ...limits, takesLast, bytes]] as const
}

/** Followers, each on a connection of its own. */
function createRedisFollowers(
  keys: RedisKeys,
  options: RedisFollowerOptions,
): Pick<Streams, 'follow'> & { close(): Promise<void> } {
  const followers = new Set<Follower>()
  let closed = false

  return {
    async follow(followed, onEntry, after = {}) {
      if (closed) throw storeUnavailable(new Error('The store is closed.'))
      const streams = [...new Set(followed)].map((key) => ({
        key,
        name: keys.stream(key),
        after: after[key] === undefined ? undefined : formatStreamId(parseStreamId(after[key])),
      }))
      const redisFollower = new RedisFollower(streams, onEntry, options)
      const follower = {
        async close() {
          followers.delete(follower)
          await redisFollower.close()
        },
      }
      followers.add(follower)
      await redisFollower.listens()
      return follower
    },

    async close() {
      closed = true
      await Promise.all([...followers].map((follower) => follower.close()))
    },
  }
}
