/** Documents as RedisJSON values, whose fields operators can read and query. */

import { type Change, missingParent, parseChanges } from './changes.ts'
import { decodeReply, encodeFields, withRevision } from './documents.ts'
import type { Document, PatchOptions, PatchOutcome } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisDocuments } from './redis-documents.ts'
import { createGets, READ_JSON } from './redis-get-all.ts'
import { defineScript } from './redis-scripts.ts'
import { toMilliseconds } from './time-to-live.ts'

// JSON.SET at the root clears the key's time-to-live: scripts write value and expiry in one step.

const SET = defineScript(`
local current = redis.call('JSON.GET', KEYS[1], '$.rev')
local rev = current and tonumber(string.match(current, '%d+')) or 0
local text = string.format('{"rev":%.0f', rev + 1) .. ARGV[1]
redis.call('JSON.SET', KEYS[1], '$', text)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
`)

const CREATE = defineScript(`
if not redis.call('JSON.SET', KEYS[1], '$', ARGV[1], 'NX') then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`)

/**
 * ARGV: revision or '', milliseconds or '', number of parents, parents, then paths with values ('':
 * remove). Nothing is written until every parent is known to be an object.
 */
const PATCH = defineScript(`
local current = redis.call('JSON.GET', KEYS[1], '$.rev')
if not current then return {'absent'} end
local rev = string.match(current, '%d+')
if ARGV[1] ~= '' and ARGV[1] ~= rev then return {'conflict'} end
local first = 4 + tonumber(ARGV[3])
for i = 4, first - 1 do
  if redis.call('JSON.TYPE', KEYS[1], ARGV[i])[1] ~= 'object' then return {'no parent', i - 4} end
end
for i = first, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('JSON.DEL', KEYS[1], ARGV[i])
  else
    redis.call('JSON.SET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
local written = string.format('%.0f', tonumber(rev) + 1)
redis.call('JSON.SET', KEYS[1], '$.rev', written)
if ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {'written', written}
`)

const TAKE = defineScript(`
local text = redis.call('JSON.GET', KEYS[1])
redis.call('DEL', KEYS[1])
return text
`)

/** Documents in RedisJSON values (the module, or Redis 8). */
export function createJsonDocuments(redis: RedisConnection): RedisDocuments {
  async function patch(
    key: string,
    changes: readonly Change[],
    { ifRev, ttlSeconds }: PatchOptions,
  ): Promise<PatchOutcome> {
    const parents = changes.map(({ path }) => path.slice(0, -1)).filter((path) => path.length > 0)
    const [outcome, detail] = (await redis.script(
      PATCH,
      [key],
      [
        ifRev === undefined ? '' : String(ifRev),
        ttlSeconds === undefined ? '' : String(toMilliseconds(ttlSeconds)),
        String(parents.length),
        ...parents.map(toJsonPath),
        ...changes.flatMap(({ path, json }) => [toJsonPath(path), json ?? '']),
      ],
    )) as [string, unknown]
    if (outcome === 'written') return { outcome, rev: Number(detail) }
    if (outcome === 'conflict' || outcome === 'absent') return { outcome }
    throw missingParent((parents[Number(detail)] ?? []).join('.'))
  }

  const gets = createGets(redis, {
    one: 'JSON.GET',
    several: ['JSON.MGET'],
    suffix: ['.'],
    inCluster: READ_JSON,
    acrossSlots: false,
  })

  return {
    ...gets,

    async set(key, value, ttlSeconds) {
      await redis.script(SET, [key], [encodeFields(value), String(toMilliseconds(ttlSeconds))])
    },

    async create(key, value, ttlSeconds) {
      const text = withRevision(1, encodeFields(value))
      const created = await redis.script(CREATE, [key], [text, String(toMilliseconds(ttlSeconds))])
      return created === 1
    },

    patch: async (key, changes, options = {}) => patch(key, parseChanges(changes), options),

    take: async <T extends Document>(key: string) =>
      decodeReply<T>(await redis.script(TAKE, [key], [])),
  }
}

/** Quotes segments, since JSONPath parses dashes and digits differently. Segments are validated. */
function toJsonPath(path: readonly string[]): string {
  return `$${path.map((segment) => `["${segment}"]`).join('')}`
}
