/** Batch reads: several documents in one `MGET` or `JSON.MGET`. */

import { ErrorReply } from '@redis/client'
import { AppError, storeUnavailable } from '../errors.ts'
import { decodeReply } from './documents.ts'
import type { Document, Store, Stored } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'
import { defineScript, type RedisScript } from './redis-scripts.ts'

/**
 * Reads JSON documents of one slot. Redis checks the place of the first key of `JSON.MGET` only: while
 * the slot moves, that finds nothing for keys that are at the other server, without an error. The keys
 * of a script are all checked. A key that holds something else counts as absent.
 */
export const READ_JSON = defineScript(`
local texts = {}
for i, key in ipairs(KEYS) do
  local text = redis.pcall('JSON.GET', key)
  if type(text) == 'table' and text.err then
    if not string.find(string.lower(text.err), 'wrong.*type') then return text end
    text = false
  end
  texts[i] = text
end
return texts
`)

export interface GetCommands {
  readonly one: 'GET' | 'JSON.GET'
  /** `MGET` or `JSON.MGET`. */
  readonly several: readonly string[]
  /** The arguments after the keys of `several`. */
  readonly suffix: readonly string[]
  /** Reads keys of one slot of a cluster, where `several` does not check all of them. */
  readonly inCluster?: RedisScript
  /**
   * Whether it can be tried for keys of several slots: if those are on several servers, `MGET` is
   * refused, but `JSON.MGET` silently returns nulls.
   */
  readonly acrossSlots: boolean
}

type Found = readonly (Stored<Document> | undefined)[]

/** Falls back permanently to several commands where one command is denied. */
export function createGets(
  redis: RedisConnection,
  commands: GetCommands,
): Pick<Store, 'get' | 'getAll'> {
  const { slotOf } = redis
  const { one } = commands
  const read = readerOf(redis, commands)
  let isAcross = commands.acrossSlots
  let isOneByOne = false

  const get = async <T extends Document>(key: string) =>
    decodeReply<T>(await redis.command([one, key], key))

  function getAll(keys: readonly string[]): Promise<Found> {
    if (isOneByOne) return Promise.all(keys.map((key) => get(key)))
    if (!isAcross && tagOf(keys[0]) !== undefined) {
      const others = keys.filter((key) => tagOf(key) !== tagOf(keys[0]))
      if (others.length > 0) return inTwo(getAll, keys, others)
    }
    const wasAcross = isAcross
    // `then`, since `await` allocates more, and every call passes here.
    return read(keys).then(
      (texts) => {
        try {
          return documentsOf(texts, keys.length)
        } catch (error) {
          return retried(keys, error, wasAcross)
        }
      },
      (error) => retried(keys, error, wasAcross),
    )
  }

  /** @param wasAcross `isAcross` when the command was sent: a parallel one may have cleared it since */
  function retried(keys: readonly string[], error: unknown, wasAcross: boolean): Promise<Found> {
    // Their slot migrates: a server refuses several keys if it lacks one of them, moved or absent.
    if (isRefused(error, /^TRYAGAIN/)) return Promise.all(keys.map((key) => get(key)))
    if (isRefused(error, /^(?:NOPERM|ERR unknown)/)) isOneByOne = true
    else if (wasAcross && isRefused(error, /^CROSSSLOT/)) isAcross = false
    else throw error
    return getAll(keys)
  }

  /** Keys of one slot. */
  const getTogether = async (keys: readonly string[]) =>
    keys.length === 1 ? [await get(keys[0] ?? '')] : getAll(keys)

  if (slotOf === undefined) return { get, getAll }
  return { get, getAll: (keys) => getAllBySlot(keys, slotOf, getTogether) }
}

/** Reads several keys, in a cluster by the script if there is one. */
function readerOf(redis: RedisConnection, { several, suffix, inCluster }: GetCommands) {
  if (redis.slotOf === undefined || inCluster === undefined) {
    return (keys: readonly string[]) => redis.command(several.concat(keys, suffix), keys[0])
  }
  return (keys: readonly string[]) => redis.script(inCluster, keys, [])
}

/** Reads each slot by one command, all in one tick: one write to each server. */
async function getAllBySlot(
  keys: readonly string[],
  slotOf: (key: string) => number,
  getTogether: (keys: readonly string[]) => Promise<Found>,
): Promise<Found> {
  const slots = new Map<number, string[]>()
  for (const key of keys) {
    const slot = slotOf(key)
    const part = slots.get(slot)
    if (part === undefined) slots.set(slot, [key])
    else part.push(key)
  }
  const parts = await Promise.all(
    [...slots.values()].map(async (part) => {
      const found = await getTogether(part)
      return part.map((key, at) => [key, found[at]] as const)
    }),
  )
  const found = new Map(parts.flat())
  return keys.map((key) => found.get(key))
}

/** Reads the keys of the first slot by one command, and all others by another. */
async function inTwo(
  getAll: Store['getAll'],
  keys: readonly string[],
  others: readonly string[],
): Promise<Found> {
  const first = keys.filter((key) => !others.includes(key))
  const [foundFirst, foundOthers] = await Promise.all([getAll(first), getAll(others)])
  const found = new Map(
    [...first, ...others].map((key, at) => [key, [...foundFirst, ...foundOthers][at]]),
  )
  return keys.map((key) => found.get(key))
}

/** Sharding proxies return an error in place of a value they could not fetch. */
function documentsOf(texts: unknown, count: number): Found {
  if (!Array.isArray(texts) || texts.length < count) throw storeUnavailable(texts)
  for (let at = 0; at < count; at += 1) {
    const text: unknown = texts[at]
    if (text !== null && typeof text !== 'string') throw storeUnavailable(text)
    // In place: the array is not shared.
    texts[at] = text === null ? undefined : JSON.parse(text)
  }
  return texts
}

/** The hash tag, which determines the slot in Redis Cluster. */
function tagOf(key: string | undefined): string | undefined {
  return key && /\{([^}]+)\}/.exec(key)?.[1]
}

function isRefused(error: unknown, how: RegExp): boolean {
  const cause = error instanceof AppError ? error.cause : error
  return cause instanceof ErrorReply && how.test(cause.message)
}
