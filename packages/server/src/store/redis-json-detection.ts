/** Detects the form of documents: JSON, or strings. */

import { ErrorReply } from '@redis/client'
import { AppError } from '../errors.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { StoreLog } from './store-log.ts'

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
export class JsonDetection {
  /** Undefined until detected. */
  known: boolean | undefined
  readonly #redis: RedisConnection
  readonly #options: JsonDetectionOptions
  readonly #stored: ReturnType<typeof createStoredForm>
  #asked: Promise<boolean> | undefined
  #logged: boolean | undefined
  /** Whether Redis has JSON commands, but the store has strings. */
  #isKept = false

  constructor(redis: RedisConnection, options: JsonDetectionOptions) {
    this.#redis = redis
    this.#options = options
    this.#stored = createStoredForm(redis, options.formKey)
  }

  hasJson(): Promise<boolean> {
    if (this.#asked) return this.#asked
    const asking = this.#ask()
    this.#asked = asking
    asking.then(
      (found) => {
        if (this.#asked === asking) this.known = found
      },
      () => {
        if (this.#asked === asking) this.#asked = undefined
      },
    )
    return asking
  }

  restart(): void {
    this.known = undefined
    this.#asked = undefined
    this.hasJson().catch(() => undefined)
  }

  /**
   * Records strings again, in case Redis was emptied: the next node to start, or an upgrade of Redis,
   * must not choose JSON while this one runs.
   */
  async confirm(): Promise<void> {
    if (this.#options.json === 'never' || this.known !== false) return
    if (!this.#isKept) await this.#stored.record('strings')
    else if ((await this.#stored.or('strings')) === 'json') this.restart()
  }

  async #ask(): Promise<boolean> {
    const { json, log } = this.#options
    const hasJson = json === 'detect' && (await hasCommand(this.#redis, 'JSON.SET'))
    // Without the commands there is no choice, so that nothing waits for the record.
    if (json === 'detect' && !hasJson) void this.#stored.record('strings')
    const found = hasJson && (await this.#isStoredAsJson())
    this.#isKept = hasJson && !found
    if (found !== this.#logged) log.info({ json: found }, 'document form detected')
    this.#logged = found
    return found
  }

  /** The form of the store, or the last one known while its shard is unavailable. */
  async #isStoredAsJson(): Promise<boolean> {
    try {
      return (await this.#stored.or('json')) === 'json'
    } catch (error) {
      if (this.#logged === undefined) throw error
      return this.#logged
    }
  }
}

/** The form of a store, which its first node writes. */
function createStoredForm(redis: RedisConnection, key: string) {
  /** A full Redis may refuse. */
  async function record(form: Form): Promise<void> {
    const command = ['SET', key, form, 'NX', 'PX', FORM_TTL_MS]
    await redis.command(command, key).catch(() => undefined)
  }

  return {
    record,
    /** The form of the store; of a new one, that which is given. */
    async or(form: Form): Promise<unknown> {
      await record(form)
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
