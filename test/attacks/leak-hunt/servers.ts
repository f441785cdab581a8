/** The parts of a deployment with secrets of all kinds, each of them watched. */

import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { onTestFinished } from 'vitest'
import { encryptConfigSecret } from '../../../src/crypto/config-secret.ts'
import { startDemo } from '../../demo/demo-server.ts'
import { type BalancerOptions, type Exchange, startBalancer } from '../../support/balancer.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'
import type { RedisKind } from '../../support/redis-binaries.ts'
import type { Secret } from './secrets.ts'

type Variables = Readonly<Record<string, string>>

/** As ASCII, so that a key looks the same as bytes and as text. */
const newKey = (bytes: number) => randomBytes(bytes).toString('hex').slice(0, bytes)

/** Characters that every encoding writes in its own way. */
const PASSWORD = `p&ss =/w+"rd\\${newKey(8)}`

export interface WatchedRedis {
  /** With the password in it; for the test itself. */
  readonly url: string
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
    url,
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

export interface OutsideProvider {
  readonly exchanges: readonly Exchange[]
  /** What the server must be told of it. */
  readonly env: Variables
  readonly secrets: readonly Secret[]
}

/** A provider and an API that are not the server's own; `publicUrl` is where it sends people back. */
export async function startOutside(
  publicUrl: string,
  options: Omit<BalancerOptions, 'nodes'>,
): Promise<OutsideProvider> {
  const ports: number[] = []
  const front = await startBalancer({ ...options, nodes: ports })
  onTestFinished(() => front.close())
  const demo = await startDemo({ origin: front.url, redirectUri: `${publicUrl}/callback` })
  ports.push(Number(new URL(demo.own).port))
  const apiKey = `key-${newKey(24)}`
  return {
    exchanges: front.exchanges,
    env: {
      UPSTREAM_ISSUER: demo.idp.issuer,
      UPSTREAM_CLIENT_ID: demo.idp.clientId,
      UPSTREAM_CLIENT_SECRET: demo.idp.clientSecret,
      UPSTREAM_SCOPES: 'openid profile email offline_access',
      UPSTREAM_API_URL: `${front.url}/demo/api`,
      UPSTREAM_API_KEY: apiKey,
    },
    secrets: [{ kind: 'API key', value: apiKey }],
  }
}
