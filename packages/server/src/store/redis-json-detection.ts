/** Detects whether Redis has JSON commands, which decides the form of documents. */

import { ErrorReply } from '@redis/client'
import { AppError } from '../errors.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { StoreLog } from './store-log.ts'

export type JsonDetection = ReturnType<typeof createJsonDetection>

/** Detects JSON commands once per connection, since Redis may have been upgraded meanwhile. */
export function createJsonDetection(
  redis: RedisConnection,
  json: 'detect' | 'never',
  log: StoreLog,
) {
  let asked: Promise<boolean> | undefined
  let logged: boolean | undefined

  async function ask(): Promise<boolean> {
    const found = json === 'detect' && (await hasCommand(redis, 'JSON.SET'))
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
  }
  return detection
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
