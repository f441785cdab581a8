/** Documents as strings, for a Redis without JSON commands. Lua never parses them. */

import { AppError, storeUnavailable } from '../errors.ts'
import { applyChanges, type Change, parseChanges } from './changes.ts'
import { decodeDocument, decodeReply, encodeFields, withRevision } from './documents.ts'
import type { Document, PatchOptions, PatchOutcome } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisDocuments } from './redis-documents.ts'
import { createGets } from './redis-get-all.ts'
import { defineScript } from './redis-scripts.ts'
import { toMilliseconds } from './time-to-live.ts'

/** One of several colliding writers always wins, so that this many attempts outlast as many writers. */
const MAX_ATTEMPTS = 128

const SET = defineScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, 31)
local rev = tonumber(string.match(head, '^{"rev":(%d+)') or 0)
local text = string.format('{"rev":%.0f', rev + 1) .. ARGV[1]
redis.call('SET', KEYS[1], text, 'PX', ARGV[2])
`)

const COMPARE_AND_SET = defineScript(`
local current = redis.call('GET', KEYS[1])
if current ~= ARGV[1] then return {0, current} end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return {1}
`)

/** Documents in Redis strings, with the atomicity of the JSON driver. */
export function createStringDocuments(redis: RedisConnection): RedisDocuments {
  const serialized = createSerializer()

  async function patch(
    key: string,
    changes: readonly Change[],
    { ifRev, ttlSeconds }: PatchOptions,
  ): Promise<PatchOutcome> {
    const ttl = ttlSeconds === undefined ? '' : String(toMilliseconds(ttlSeconds))
    let seen = await redis.command(['GET', key], key)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      if (typeof seen !== 'string') return { outcome: 'absent' }
      const { rev } = decodeDocument(seen)
      if (ifRev !== undefined && ifRev !== rev) return { outcome: 'conflict' }
      const args = [seen, applyChanges(seen, changes), ttl]
      const [done, current] = (await redis.script(COMPARE_AND_SET, [key], args)) as unknown[]
      if (done === 1) return { outcome: 'written', rev: rev + 1 }
      seen = current
    }
    throw new ContentionError('Too many concurrent writers of one document.')
  }

  const gets = createGets(redis, { one: 'GET', several: ['MGET'], suffix: [], acrossSlots: true })

  return {
    ...gets,

    async set(key, value, ttlSeconds) {
      await redis.script(SET, [key], [encodeFields(value), String(toMilliseconds(ttlSeconds))])
    },

    async create(key, value, ttlSeconds) {
      const text = withRevision(1, encodeFields(value))
      const ttl = String(toMilliseconds(ttlSeconds))
      return (await redis.command(['SET', key, text, 'NX', 'PX', ttl], key)) !== null
    },

    async patch(key, changes, options = {}) {
      const parsed = parseChanges(changes)
      try {
        return await serialized(key, () => patch(key, parsed, options))
      } catch (error) {
        throw error instanceof ContentionError ? storeUnavailable(error) : error
      }
    },

    take: async <T extends Document>(key: string) =>
      decodeReply<T>(await redis.command(['GETDEL', key], key)),
  }
}

/** Other nodes have written the document before each attempt. */
class ContentionError extends Error {}

/**
 * Serializes the patches of one document by this process: of concurrent ones, each write would make
 * all others try again. While Redis is unavailable, those that wait fail with the one before them.
 */
function createSerializer() {
  const last = new Map<string, Promise<PatchOutcome>>()

  return (key: string, patch: () => Promise<PatchOutcome>): Promise<PatchOutcome> => {
    const patching =
      last.get(key)?.then(patch, (error: unknown) => {
        if (error instanceof AppError) throw error
        return patch()
      }) ?? patch()
    last.set(key, patching)
    const end = () => {
      if (last.get(key) === patching) last.delete(key)
    }
    patching.then(end, end)
    return patching
  }
}
