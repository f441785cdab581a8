/** Documents that are asked for together are fetched together. */

import { ErrorReply } from '@redis/client'
import { AppError, storeUnavailable } from '../errors.ts'
import { decodeDocument } from './documents.ts'
import type { Document, Store, Stored } from './port.ts'
import type { RedisConnection } from './redis-connection.ts'

/** The commands for one key and for several: `GET` and `MGET`, or `JSON.GET` and `JSON.MGET`. */
export interface GetCommands {
  readonly one: (key: string) => readonly string[]
  readonly several: (keys: readonly string[]) => readonly string[]
}

interface Question {
  readonly key: string
  readonly answer: (document: Stored<Document> | undefined) => void
  readonly fail: (error: unknown) => void
}

/** Redis does nothing else while it answers. */
const MOST_KEYS = 100

/**
 * What all callers ask for before the event loop goes on goes out as one command: 8 µs less for each
 * of them under load, where `nextTurn` sees to it that it is many. Nobody waits for others. What was
 * written is found by whoever asks after the answer to that; a key that holds another type, which
 * alone is an error, is not found among others.
 */
export function createGetTogether(
  redis: RedisConnection,
  { one, several }: GetCommands,
): Store['get'] {
  let questions: Question[] = []
  let isOneByOne = false

  function askAll(): void {
    const all = questions
    questions = []
    for (let at = 0; at < all.length; at += MOST_KEYS) ask(all.slice(at, at + MOST_KEYS))
  }

  function ask(some: readonly Question[]): void {
    if (some.length === 1 || isOneByOne) {
      askOneByOne(some)
      return
    }
    redis.command(several(some.map(({ key }) => key))).then(
      (texts) => {
        for (const [at, question] of some.entries())
          settle(question, (texts as unknown[] | null)?.[at])
      },
      (error: unknown) => {
        isOneByOne ||= isRefused(error)
        if (isOneByOne) askOneByOne(some)
        else for (const { fail } of some) fail(error)
      },
    )
  }

  function askOneByOne(some: readonly Question[]): void {
    for (const question of some) {
      redis.command(one(question.key)).then((text) => settle(question, text), question.fail)
    }
  }

  return <T extends Document>(key: string) =>
    new Promise<Stored<T> | undefined>((answer, fail) => {
      if (questions.length === 0) process.nextTick(askAll)
      questions.push({ key, answer: answer as Question['answer'], fail })
    })
}

function settle({ answer, fail }: Question, text: unknown): void {
  try {
    answer(found(text))
  } catch (error) {
    fail(error)
  }
}

/** Proxies before several servers put an error in the place of what they could not fetch. */
function found(text: unknown): Stored<Document> | undefined {
  if (text === null) return undefined
  if (typeof text !== 'string') throw storeUnavailable(text)
  return decodeDocument(text)
}

/** Redis Cluster keeps keys in slots of their own; and some users may not ask for several at once. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error
  return (
    cause instanceof ErrorReply && /^(?:CROSSSLOT|MOVED|NOPERM|ERR unknown)/.test(cause.message)
  )
}
