/** Chooses the store: memory, or Redis and its address. Passwords and keys go to the secrets. */

import { resolve } from 'node:path'
import { ConfigSecretError, decryptConfigSecret } from '../crypto/config-secret.ts'
import { chooseRedisTls, type RedisTls } from './choose-redis-tls.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { readSecret } from './read-secret.ts'
import {
  parseRedisHosts,
  parseRedisUrl,
  REDIS_PORT,
  type RedisUrl,
  SENTINEL_PORT,
} from './redis-url.ts'
import type { RedisConfig, StoreConfig } from './shape.ts'
import type { RawVariables } from './sources.ts'
import type { Variables } from './variables.ts'

export interface StoreSecrets {
  readonly redisPassword?: string | undefined
  readonly redisSentinelPassword?: string | undefined
  readonly redisTls?: RedisTls | undefined
}

interface StoreChoice {
  readonly store: StoreConfig
  readonly secrets: StoreSecrets
}

/** Any of these makes the store Redis. */
const REDIS_VARIABLES = [
  ...(['REDIS_URL', 'REDIS_MODE', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_USERNAME'] as const),
  ...(['REDIS_P', 'REDIS_PASSWORD_FILE', 'REDIS_DB', 'REDIS_SENTINEL_NAME'] as const),
  ...(['REDIS_SENTINEL_USERNAME', 'REDIS_SENTINEL_P', 'REDIS_SENTINEL_PASSWORD_FILE'] as const),
  ...(['REDIS_TLS', 'REDIS_CA', 'REDIS_TLS_NAME', 'REDIS_CERT', 'REDIS_KEY'] as const),
]

/** Memory outside production if no variable names a Redis server; otherwise Redis. */
export function chooseStore(
  raw: RawVariables,
  variables: Variables,
  cwd: string,
  faults: Faults,
): StoreChoice {
  const named = REDIS_VARIABLES.some((name) => raw[name] !== undefined)
  if (!named && variables.NODE_ENV !== 'production')
    return { store: { kind: 'memory' }, secrets: {} }

  const { REDIS_URL: url } = variables
  const fromUrl = url === undefined ? undefined : readUrl(url, faults)
  const servers = fromUrl ?? byParts(raw, variables, faults)
  if (servers.password !== undefined && variables.REDIS_P !== undefined) {
    faults.add('REDIS_P', 'conflicts with the password in REDIS_URL; set one')
  }
  if (url === undefined || fromUrl !== undefined) {
    checkMode(servers, variables, url !== undefined, faults)
  }
  const files = {
    password: passwordFile('REDIS_PASSWORD_FILE', variables, cwd, faults),
    sentinelPassword: passwordFile('REDIS_SENTINEL_PASSWORD_FILE', variables, cwd, faults),
  }
  if (servers.password !== undefined && files.password !== undefined) {
    faults.add('REDIS_PASSWORD_FILE', 'conflicts with the password in REDIS_URL; set one')
  }
  return {
    store: redisConfig(servers, variables, files),
    secrets: {
      redisPassword: servers.password ?? decryptPassword('REDIS_P', variables, faults),
      redisSentinelPassword: decryptPassword('REDIS_SENTINEL_P', variables, faults),
      redisTls: chooseRedisTls(variables, servers.tls, cwd, faults),
    },
  }
}

/** The paths of files with passwords. */
interface PasswordFiles {
  readonly password: string | undefined
  readonly sentinelPassword: string | undefined
}

function redisConfig(servers: RedisUrl, variables: Variables, files: PasswordFiles): RedisConfig {
  const [first = { host: 'localhost', port: REDIS_PORT }] = servers.endpoints
  const isSingle = servers.mode === 'single'
  return {
    kind: 'redis',
    ...first,
    ...defined({ socketPath: servers.socketPath }),
    ...(!isSingle && { mode: servers.mode, endpoints: servers.endpoints }),
    ...defined({ username: servers.username, passwordFile: files.password }),
    ...sentinelOf(servers, variables, files.sentinelPassword),
    db: servers.db,
    tls: servers.tls,
    ...defined({ tlsName: variables.REDIS_TLS_NAME }),
    prefix: variables.STORE_PREFIX,
    timeoutMs: variables.STORE_TIMEOUT_MS,
    ...(variables.REDIS_PROTOCOL !== 'auto' && {
      protocol: variables.REDIS_PROTOCOL === '2' ? 2 : 3,
    }),
    ...defined({ clientName: variables.REDIS_CLIENT_NAME }),
    ...(variables.REDIS_EVICTION === 'refuse' && { eviction: 'refuse' }),
  }
}

function readUrl(given: string, faults: Faults): RedisUrl | undefined {
  const parsed = parseRedisUrl(given)
  if (typeof parsed !== 'string') return parsed
  faults.add('REDIS_URL', parsed)
  return undefined
}

function byParts(raw: RawVariables, variables: Variables, faults: Faults): RedisUrl {
  const mode = variables.REDIS_MODE ?? 'single'
  const isDefaultPort = raw.REDIS_PORT === undefined && mode === 'sentinel'
  const port = isDefaultPort ? SENTINEL_PORT : variables.REDIS_PORT
  const endpoints = parseRedisHosts(variables.REDIS_HOST, port)
  if (typeof endpoints === 'string') faults.add('REDIS_HOST', endpoints)
  else if (mode === 'single' && endpoints.length > 1) {
    faults.add('REDIS_HOST', 'names several hosts: set REDIS_MODE to cluster or sentinel')
  }
  if (mode === 'cluster' && variables.REDIS_DB !== 0) {
    faults.add('REDIS_DB', 'conflicts with REDIS_MODE=cluster: a cluster has database 0 only')
  }
  return {
    mode,
    endpoints: typeof endpoints === 'string' ? [] : endpoints,
    username: variables.REDIS_USERNAME,
    password: undefined,
    db: variables.REDIS_DB,
    tls: variables.REDIS_TLS === 'on',
    masterName: undefined,
  }
}

/** Settings that contradict the address, or have no effect with it. */
function checkMode(servers: RedisUrl, variables: Variables, isUrl: boolean, faults: Faults): void {
  const { mode, masterName } = servers
  const { REDIS_MODE, REDIS_TLS, REDIS_SENTINEL_NAME: name } = variables
  if (isUrl && REDIS_MODE !== undefined && REDIS_MODE !== mode) {
    faults.add('REDIS_MODE', `conflicts with REDIS_URL, whose mode is ${mode}; set one`)
  }
  if (isUrl && REDIS_TLS !== undefined && (REDIS_TLS === 'on') !== servers.tls) {
    faults.add('REDIS_TLS', 'conflicts with the scheme of REDIS_URL (rediss for TLS); set one')
  }
  if (mode === 'sentinel') {
    if (masterName !== undefined && name !== undefined && masterName !== name) {
      faults.add('REDIS_SENTINEL_NAME', 'conflicts with the name in REDIS_URL; set one')
    }
    if (masterName === undefined && name === undefined) {
      faults.add('REDIS_SENTINEL_NAME', 'is required for Sentinel, unless REDIS_URL has the name')
    }
    return
  }
  for (const variable of SENTINEL_VARIABLES) {
    if (variables[variable] !== undefined) {
      faults.add(variable, 'is for Sentinel alone: set REDIS_MODE=sentinel, or remove it')
    }
  }
}

const SENTINEL_VARIABLES = [
  'REDIS_SENTINEL_NAME',
  'REDIS_SENTINEL_USERNAME',
  'REDIS_SENTINEL_P',
  'REDIS_SENTINEL_PASSWORD_FILE',
] as const

function sentinelOf(
  { mode, masterName }: RedisUrl,
  variables: Variables,
  passwordFile: string | undefined,
) {
  if (mode !== 'sentinel') return undefined
  const name = masterName ?? variables.REDIS_SENTINEL_NAME ?? ''
  const { REDIS_SENTINEL_USERNAME: username } = variables
  const sentinel: RedisConfig['sentinel'] = { name, ...defined({ username, passwordFile }) }
  return { sentinel }
}

const ENCRYPTED_PASSWORD = {
  REDIS_PASSWORD_FILE: 'REDIS_P',
  REDIS_SENTINEL_PASSWORD_FILE: 'REDIS_SENTINEL_P',
} as const

/** The absolute path. Connections read the file: here it is only checked. */
function passwordFile(
  name: keyof typeof ENCRYPTED_PASSWORD,
  variables: Variables,
  cwd: string,
  faults: Faults,
): string | undefined {
  const { [name]: given } = variables
  if (given === undefined) return undefined
  const other = ENCRYPTED_PASSWORD[name]
  if (variables[other] !== undefined) faults.add(name, `conflicts with ${other}; set one`)
  const path = resolve(cwd, given)
  const content = readSecret(path)
  if ('fault' in content) faults.add(name, content.fault)
  return path
}

function decryptPassword(
  name: 'REDIS_P' | 'REDIS_SENTINEL_P',
  variables: Variables,
  faults: Faults,
): string | undefined {
  const { [name]: encrypted, ENCRYPTION_KEY: key, ENCRYPTION_IV: iv } = variables
  if (encrypted === undefined) return undefined
  if (key === undefined) faults.add('ENCRYPTION_KEY', `is needed to decrypt ${name}`)
  if (iv === undefined) faults.add('ENCRYPTION_IV', `is needed to decrypt ${name}`)
  if (key === undefined || iv === undefined) return undefined
  try {
    return decryptConfigSecret(encrypted, { key, iv })
  } catch (error) {
    if (!(error instanceof ConfigSecretError)) throw error
    faults.add(name, error.message)
    return undefined
  }
}
