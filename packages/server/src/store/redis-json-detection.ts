/** Detects the form of documents: JSON, or strings. */

import { ErrorReply } from '@redis/client'
import { AppError } from '../errors.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { StoreLog } from './store-log.ts'

export type JsonDetection = ReturnType<typeof createJsonDetection>

export interface JsonDetectionOptions {
  readonly json: 'detect' | 'never'
  /** The key in which the store keeps its form. */
  readonly formKey: string
  readonly log: StoreLog
}

type Form = 'json' | 'strings'

/** As long as that of the blocks, the longest of all documents: no key is without expiry. */
const FORM_TTL_MS = String(10 * 365 * 24 * 60 * 60 * 1000)

/**
 * Detects the form once per connection, since Redis may have been emptied meanwhile. A store keeps the
 * form of its first documents: those would be lost after an upgrade to a Redis with JSON commands,
 * which refuse strings (`JSON.GET`) or do not find them (`JSON.MGET`).
 */
export function createJsonDetection(
  redis: RedisConnection,
  { json, formKey, log }: JsonDetectionOptions,
) {
  const stored = createStoredForm(redis, formKey)
  let asked: Promise<boolean> | undefined
  let logged: boolean | undefined
  /** Whether Redis has JSON commands, but the store has strings. */
  let isKept = false

  /** The form of the store, or the last one known while its shard is unavailable. */
  async function isStoredAsJson(): Promise<boolean> {
    try {
      return (await stored.or('json')) === 'json'
    } catch (error) {
      if (logged === undefined) throw error
      return logged
    }
  }

  async function ask(): Promise<boolean> {
    const hasJson = json === 'detect' && (await hasCommand(redis, 'JSON.SET'))
    // Without the commands there is no choice, so that nothing waits for the note.
    if (json === 'detect' && !hasJson) void stored.note('strings')
    const found = hasJson && (await isStoredAsJson())
    isKept = hasJson && !found
    if (found !== logged) log.info({ json: found }, 'document form detected')
    logged = found
    return found
  }

  function hasJson(): Promise<boolean> {
    if (asked) return asked
    const asking = ask()
    asked = asking
    asking.then(
      (found) => {
        if (asked === asking) detection.known = found
      },
      () => {
        if (asked === asking) asked = undefined
      },
    )
    return asking
  }

  const detection = {
    /** Undefined until detected. */
    known: undefined as boolean | undefined,
    hasJson,
    restart(): void {
      detection.known = undefined
      asked = undefined
      hasJson().catch(() => undefined)
    },
    /**
     * Notes strings again, in case Redis was emptied: the next node to start, or an upgrade of Redis,
     * must not choose JSON while this one runs.
     */
    async confirm(): Promise<void> {
      if (json === 'never' || detection.known !== false) return
      if (!isKept) await stored.note('strings')
      else if ((await stored.or('strings')) === 'json') detection.restart()
    },
  }
  return detection
}

/** The form of a store, which its first node writes. */
function createStoredForm(redis: RedisConnection, key: string) {
  /** A full Redis may refuse. */
  async function note(form: Form): Promise<void> {
    const command = ['SET', key, form, 'NX', 'PX', FORM_TTL_MS]
    await redis.command(command, key).catch(() => undefined)
  }

  return {
    note,
    /** The form of the store; of a new one, that which is given. */
    async or(form: Form): Promise<unknown> {
      await note(form)
      return (await redis.command(['GET', key], key)) ?? form
    },
  }
}

async function hasCommand(redis: RedisConnection, name: string): Promise<boolean> {
  try {
    const reply = (await redis.command(['COMMAND', 'INFO', name])) as unknown[]
    return Array.isArray(reply[0])
  } catch (error) {
    // A provider may hide or deny COMMAND.
    const cause = error instanceof AppError ? error.cause : error
    if (cause instanceof ErrorReply && /^(?:NOPERM|ERR unknown)/.test(cause.message)) return false
    throw error
  }
}
