/** Memory or Redis, and how Redis is named. */

import { describe, expect, it } from 'vitest'
import { encryptConfigSecret } from '../../src/crypto/config-secret.ts'
import { faultsOf, IV, KEY, load, production } from './load.ts'

const secretKey = { key: Buffer.from(KEY, 'hex'), iv: Buffer.from(IV, 'hex') }
const REDIS_P = encryptConfigSecret('p@ss:wörd', secretKey)
const encryption = { ENCRYPTION_KEY: KEY, ENCRYPTION_IV: IV }
const SENTINEL = { REDIS_URL: 'redis+sentinel://a,b/main' }

describe('the store', () => {
  it('is Redis as soon as any REDIS_ variable is set', () => {
    expect(load({ REDIS_DB: '0' }).config.store).toEqual({
      kind: 'redis',
      host: '127.0.0.1',
      port: 6379,
      db: 0,
      tls: false,
      prefix: 'mcp:',
      timeoutMs: 1000,
    })
  })

  it('is Redis in production, with nothing set', () => {
    expect(load(production).config.store.kind).toBe('redis')
  })

  it('is refused while it may evict keys, if that is wanted', () => {
    const eviction = (value: string) => load({ REDIS_DB: '0', REDIS_EVICTION: value }).config.store
    expect(eviction('refuse')).toMatchObject({ eviction: 'refuse' })
    expect(eviction('warn')).not.toHaveProperty('eviction')
  })

  it('is named by its parts, with an encrypted password', () => {
    const { config, secrets } = load({
      ...encryption,
      REDIS_HOST: 'redis.internal',
      REDIS_PORT: '6380',
      REDIS_USERNAME: 'mcp',
      REDIS_P,
      REDIS_DB: '3',
      STORE_PREFIX: 'accounts:',
      STORE_TIMEOUT_MS: '250',
    })
    expect(config.store).toEqual({
      kind: 'redis',
      host: 'redis.internal',
      port: 6380,
      username: 'mcp',
      db: 3,
      tls: false,
      prefix: 'accounts:',
      timeoutMs: 250,
    })
    expect(secrets.redisPassword).toBe('p@ss:wörd')
  })

  it('is named by one address, whose password is kept apart', () => {
    const { config, secrets } = load({
      REDIS_URL: 'rediss://m%40cp:p%40ss%2Fw%3Ard@redis.internal:6390/2',
      REDIS_HOST: 'ignored',
    })
    expect(config.store).toMatchObject({
      host: 'redis.internal',
      port: 6390,
      username: 'm@cp',
      db: 2,
      tls: true,
    })
    expect(secrets.redisPassword).toBe('p@ss/w:rd')
    expect(JSON.stringify(config)).not.toMatch(/ss.{0,3}w/)
  })

  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0, tls: false }],
    ['redis://localhost/', { host: 'localhost', port: 6379, db: 0, tls: false }],
    ['redis://[::1]:7000', { host: '::1', port: 7000, db: 0, tls: false }],
    ['rediss://h/15', { host: 'h', port: 6379, db: 15, tls: true }],
  ])('reads %s', (REDIS_URL, expected) => {
    expect(load({ REDIS_URL }).config.store).toMatchObject(expected)
  })

  it('is named by a socket', () => {
    const { config, secrets } = load({
      REDIS_URL: 'unix://mcp:p%40ss@/run/redis%20a/redis.sock?db=2',
    })
    const socketPath = '/run/redis a/redis.sock'
    expect(config.store).toMatchObject({ kind: 'redis', socketPath, username: 'mcp', db: 2 })
    expect(secrets.redisPassword).toBe('p@ss')
  })

  it('takes the password of an address without one from REDIS_P', () => {
    const { secrets } = load({ ...encryption, REDIS_URL: 'redis://localhost', REDIS_P })
    expect(secrets.redisPassword).toBe('p@ss:wörd')
  })

  it.each([
    'http://localhost',
    'redis://',
    'redis://localhost/db0',
    'redis://localhost?db=1',
    'redis://localhost:99999',
    'redis://u:%E0%A4%A@localhost',
    'unix://run/redis.sock',
    'unix:///run/redis.sock?db=x',
    'unix://u:%E0%A4%A@/run/redis.sock',
  ])('refuses the address %s', (REDIS_URL) => {
    expect(faultsOf({ REDIS_URL })).toEqual(['REDIS_URL'])
  })

  it('refuses two passwords', () => {
    expect(faultsOf({ ...encryption, REDIS_URL: 'redis://:x@localhost', REDIS_P })).toEqual([
      'REDIS_P',
    ])
  })
})

describe('REDIS_PASSWORD_FILE', () => {
  const files = { password: 'p@ss:wörd\n', empty: '\n' }

  it.each<Record<string, string>>([
    { REDIS_HOST: 'redis.internal' },
    { REDIS_URL: 'rediss://mcp@redis.internal' },
    { REDIS_URL: 'redis+cluster://mcp@a,b' },
    {},
  ])('is left to connections, which read it: %j', (env) => {
    const { config, secrets } = load({ ...env, REDIS_PASSWORD_FILE: 'password' }, { files })
    expect(config.store).toMatchObject({
      kind: 'redis',
      passwordFile: expect.stringMatching(/^\/.*\/password$/),
    })
    expect(secrets.redisPassword).toBeUndefined()
  })

  it('is one more for the Sentinels', () => {
    const { store } = load(
      {
        ...{ REDIS_URL: 'redis+sentinel://a,b/main', REDIS_SENTINEL_USERNAME: 'watch' },
        REDIS_SENTINEL_PASSWORD_FILE: 'password',
      },
      { files },
    ).config
    const passwordFile = expect.stringMatching(/^\/.*\/password$/)
    expect(store).toMatchObject({ sentinel: { name: 'main', username: 'watch', passwordFile } })
    expect(store).not.toHaveProperty('passwordFile')
  })

  it.each([
    ['REDIS_PASSWORD_FILE', { REDIS_PASSWORD_FILE: 'missing' }],
    ['REDIS_PASSWORD_FILE', { REDIS_PASSWORD_FILE: 'empty' }],
    ['REDIS_PASSWORD_FILE', { REDIS_PASSWORD_FILE: 'password', REDIS_URL: 'redis://:x@a' }],
    ['REDIS_PASSWORD_FILE', { REDIS_PASSWORD_FILE: 'password', REDIS_P }],
    ['REDIS_SENTINEL_PASSWORD_FILE', { REDIS_SENTINEL_PASSWORD_FILE: 'password' }],
    [
      'REDIS_SENTINEL_PASSWORD_FILE',
      { ...SENTINEL, REDIS_SENTINEL_PASSWORD_FILE: 'password', REDIS_SENTINEL_P: REDIS_P },
    ],
    ['REDIS_SENTINEL_PASSWORD_FILE', { ...SENTINEL, REDIS_SENTINEL_PASSWORD_FILE: 'missing' }],
  ])('is refused: %s in %j', (name, env) => {
    const given = { ...encryption, ...(env as Record<string, string>) }
    expect(faultsOf(given, { files })).toEqual([name])
  })
})

describe('REDIS_P', () => {
  it('needs the key and the vector', () => {
    expect(faultsOf({ REDIS_P })).toEqual(['ENCRYPTION_KEY', 'ENCRYPTION_IV'])
    expect(faultsOf({ REDIS_P, ENCRYPTION_KEY: KEY })).toEqual(['ENCRYPTION_IV'])
  })

  it('is refused when it does not decrypt', () => {
    const damaged = REDIS_P.slice(0, -4)
    expect(faultsOf({ ...encryption, REDIS_P: damaged })).toEqual(['REDIS_P'])
    expect(faultsOf({ ...encryption, REDIS_P: 'not base64!' })).toEqual(['REDIS_P'])
  })
})
