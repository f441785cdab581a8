/** Chooses the store: memory, or Redis and its address. The password goes to the secrets. */

import { ConfigSecretError, decryptConfigSecret } from '../crypto/config-secret.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import type { RedisConfig, StoreConfig } from './shape.ts'
import type { RawVariables } from './sources.ts'
import type { Variables } from './variables.ts'

interface StoreChoice {
  readonly store: StoreConfig
  readonly password?: string | undefined
}

type Server = Pick<RedisConfig, 'url' | 'host' | 'port' | 'username' | 'db' | 'tls'>

const REDIS_VARIABLES = [
  'REDIS_URL',
  'REDIS_HOST',
  'REDIS_PORT',
  'REDIS_USERNAME',
  'REDIS_P',
  'REDIS_DB',
] as const

/** Memory outside production if no variable names a Redis server; otherwise Redis. */
export function chooseStore(raw: RawVariables, variables: Variables, faults: Faults): StoreChoice {
  const named = REDIS_VARIABLES.some((name) => raw[name] !== undefined)
  if (!named && variables.NODE_ENV !== 'production') return { store: { kind: 'memory' } }

  const encrypted = decryptPassword(variables, faults)
  const fromUrl = variables.REDIS_URL ? parseRedisUrl(variables.REDIS_URL, faults) : undefined
  if (fromUrl?.password !== undefined && variables.REDIS_P !== undefined) {
    faults.add('REDIS_P', 'conflicts with the password in REDIS_URL; set one')
  }
  return {
    store: {
      kind: 'redis',
      ...(fromUrl?.server ?? serverByParts(variables)),
      prefix: variables.STORE_PREFIX,
      timeoutMs: variables.STORE_TIMEOUT_MS,
      ...(variables.REDIS_EVICTION === 'refuse' && { eviction: 'refuse' }),
    },
    password: fromUrl?.password ?? encrypted,
  }
}

function serverByParts(variables: Variables): Server {
  return {
    host: variables.REDIS_HOST,
    port: variables.REDIS_PORT,
    ...defined({ username: variables.REDIS_USERNAME }),
    db: variables.REDIS_DB,
    tls: false,
  }
}

/** Parses a `redis://` or `rediss://` URL; credentials in it are percent-encoded. */
function parseRedisUrl(given: string, faults: Faults) {
  const refuse = (why: string) => void faults.add('REDIS_URL', why)
  if (!URL.canParse(given)) return refuse('must be redis://[user:password@]host[:port][/db]')
  const url = new URL(given)
  if (url.hostname === '') return refuse('must name a host')
  if (url.search !== '' || url.hash !== '') return refuse('must have no query and no fragment')
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1]
  if (db === undefined) return refuse('must have the number of a database after the slash')
  const username = decode(url.username)
  const password = decode(url.password)
  if (username === undefined || password === undefined) {
    return refuse('must have percent-encoded credentials')
  }
  url.password = ''
  const server: Server = {
    url: url.href,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    ...defined({ username: username === '' ? undefined : username }),
    db: Number(db),
    tls: url.protocol === 'rediss:',
  }
  return { server, password: password === '' ? undefined : password }
}

function decode(component: string): string | undefined {
  try {
    return decodeURIComponent(component)
  } catch {
    return undefined
  }
}

function decryptPassword(variables: Variables, faults: Faults): string | undefined {
  const { REDIS_P: encrypted, ENCRYPTION_KEY: key, ENCRYPTION_IV: iv } = variables
  if (encrypted === undefined) return undefined
  if (key === undefined) faults.add('ENCRYPTION_KEY', 'is needed to decrypt REDIS_P')
  if (iv === undefined) faults.add('ENCRYPTION_IV', 'is needed to decrypt REDIS_P')
  if (key === undefined || iv === undefined) return undefined
  try {
    return decryptConfigSecret(encrypted, { key, iv })
  } catch (error) {
    if (!(error instanceof ConfigSecretError)) throw error
    faults.add('REDIS_P', error.message)
    return undefined
  }
}
