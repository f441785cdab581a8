/** Reads several documents of one slot in one command. */

import { ErrorReply } from '@redis/client'
import { AppError, storeUnavailable } from '../errors.ts'
import { decodeDocument, decodeReply } from './documents.ts'
import type { Document, Store, Stored } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'

/** The commands for one key and for several: `GET` and `MGET`, or `JSON.GET` and `JSON.MGET`. */
export interface GetCommands {
  readonly one: (key: string) => readonly string[]
  readonly several: (keys: readonly string[]) => readonly string[]
}

/** Falls back to single reads for users whose ACL denies the multi-key command. */
export function createGets(
  redis: RedisConnection,
  { one, several }: GetCommands,
): Pick<Store, 'get' | 'getAll'> {
  let isOneByOne = false

  const get = async <T extends Document>(key: string) =>
    decodeReply<T>(await redis.command(one(key)))

  return {
    get,
    async getAll(keys) {
      if (isOneByOne) return Promise.all(keys.map((key) => get(key)))
      try {
        const texts = await redis.command(several(keys))
        if (!Array.isArray(texts)) throw storeUnavailable(texts)
        return keys.map((_, at) => found(texts[at]))
      } catch (error) {
        if (!isRefused(error)) throw error
        isOneByOne = true
        return Promise.all(keys.map((key) => get(key)))
      }
    },
  }
}

/** Sharding proxies return an error in place of a value they could not fetch. */
function found(text: unknown): Stored<Document> | undefined {
  if (text === null) return undefined
  if (typeof text !== 'string') throw storeUnavailable(text)
  return decodeDocument(text)
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error
  return cause instanceof ErrorReply && /^(?:NOPERM|ERR unknown)/.test(cause.message)
}
