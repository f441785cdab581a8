/** Reads several documents of one slot by one command. */

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

/** Users that may not read several keys by one command read them one by one from then on. */
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

/** Proxies before several servers put an error in the place of what they could not fetch. */
function found(text: unknown): Stored<Document> | undefined {
  if (text === null) return undefined
  if (typeof text !== 'string') throw storeUnavailable(text)
  return decodeDocument(text)
}

function isRefused(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error
  return cause instanceof ErrorReply && /^(?:NOPERM|ERR unknown)/.test(cause.message)
}
