/** A Redis with a password, and the keys of the server that uses it. */

import { randomBytes } from 'node:crypto'
import { createClient } from '@redis/client'
import { onTestFinished } from 'vitest'
import { encryptConfigSecret } from '../../../src/crypto/config-secret.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import type { RedisKind } from '../../support/redis-binaries.ts'
import type { Secret } from './secrets.ts'

type Variables = Readonly<Record<string, string>>

/** As ASCII, so that a key looks the same as bytes and as text. */
const newKey = (bytes: number) => randomBytes(bytes).toString('hex').slice(0, bytes)

/** Characters that every encoding writes in its own way. */
const PASSWORD = `p&ss =/w+"rd\\${newKey(8)}`

export interface WatchedRedis {
  /** With the password in its address; for the test itself. */
  readonly servers: RedisServer['servers']
  readonly env: Variables
  readonly secrets: readonly Secret[]
}

/** A Redis with a password, which the server gets as `REDIS_P`, or in an address. */
export async function startSecretRedis(kind: RedisKind): Promise<WatchedRedis> {
  const redis = await startRedis(kind)
  onTestFinished(() => redis.stop())
  await setPassword(redis)
  const [key, iv] = [newKey(32), newKey(16)]
  const encrypted = encryptConfigSecret(PASSWORD, { key: Buffer.from(key), iv: Buffer.from(iv) })
  const url = `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${redis.port}`
  const address: Variables =
    kind === 'json' ? { REDIS_PORT: String(redis.port), REDIS_P: encrypted } : { REDIS_URL: url }
  return {
    servers: [{ url }],
    env: { ...address, ENCRYPTION_KEY: key, ENCRYPTION_IV: iv },
    secrets: [
      { kind: 'encryption key', value: key },
      { kind: 'encryption vector', value: iv },
      { kind: 'Redis password', value: PASSWORD },
      { kind: 'encrypted Redis password', value: encrypted },
    ],
  }
}

async function setPassword({ url }: RedisServer): Promise<void> {
  const client = createClient({ url })
  await client.connect()
  await client.configSet('requirepass', PASSWORD)
  client.destroy()
}
