/** How Redis Cluster, Sentinel and TLS are named, and what is refused. */

import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { encryptConfigSecret } from '../../src/crypto/config-secret.ts'
import { certificateFor } from '../support/tls-certificates.ts'
import { faultsOf, IV, KEY, load, refusal } from './load.ts'

const encryption = { ENCRYPTION_KEY: KEY, ENCRYPTION_IV: IV }
const encrypted = encryptConfigSecret('p@ss:wörd', {
  key: Buffer.from(KEY, 'hex'),
  iv: Buffer.from(IV, 'hex'),
})

describe('REDIS_URL', () => {
  it('names the nodes of a cluster', () => {
    const REDIS_URL =
      'redis+cluster://m%40cp:p%40ss%2Cw%3Ard@a:7000,b.internal,[::1]:7002,[fe80::2]'
    const { config, secrets } = load({ REDIS_URL })
    expect(config.store).toEqual({
      kind: 'redis',
      mode: 'cluster',
      host: 'a',
      port: 7000,
      endpoints: [
        { host: 'a', port: 7000 },
        { host: 'b.internal', port: 6379 },
        { host: '::1', port: 7002 },
        { host: 'fe80::2', port: 6379 },
      ],
      username: 'm@cp',
      db: 0,
      tls: false,
      prefix: 'mcp:',
      timeoutMs: 1000,
    })
    expect(secrets.redisPassword).toBe('p@ss,w:rd')
    expect(JSON.stringify(config)).not.toMatch(/ss.{0,3}w/)
  })

  it('names Sentinels, the master and its database', () => {
    const { config, secrets } = load({
      ...encryption,
      REDIS_URL: 'rediss+sentinel://mcp:secret@s1,s2:26380/my%2Dmaster/3',
      REDIS_SENTINEL_USERNAME: 'watch',
      REDIS_SENTINEL_P: encrypted,
    })
    expect(config.store).toMatchObject({
      mode: 'sentinel',
      endpoints: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 26_380 },
      ],
      sentinel: { name: 'my-master', username: 'watch' },
      username: 'mcp',
      db: 3,
      tls: true,
    })
    expect(secrets).toMatchObject({
      redisPassword: 'secret',
      redisSentinelPassword: 'p@ss:wörd',
    })
    expect(JSON.stringify({ config, secrets })).not.toMatch(/secret"|wörd/)
  })

  it.each([
    ['redis+cluster://a', 'cluster', 1],
    ['rediss+cluster://a/,b', undefined, 0],
    ['rediss+cluster://:p@a:1,b:2/', 'cluster', 2],
    ['redis+cluster://a:1,b:2/0', 'cluster', 2],
    ['redis+sentinel://a,b,c/m', 'sentinel', 3],
    ['redis+sentinel://[2001:db8::1]:5,[2001:db8::2]/m/15', 'sentinel', 2],
    ['redis://u:pa:ss@a', 'single', 1],
    ['valkeys://default:p@valkey.example.com:12345', 'single', 1],
    ['valkey+cluster://a,b', 'cluster', 2],
  ])('is read: %s', (given, mode, count) => {
    const parsed = parseRedisUrl(given)
    if (mode === undefined) return expect(parsed).toEqual(expect.any(String))
    expect(parsed).toMatchObject({ mode })
    expect(typeof parsed === 'object' && parsed.endpoints).toHaveLength(count)
  })

  it.each([
    'redis+cluster://',
    'redis+cluster://a,,b',
    'redis+cluster://a,b:0',
    'redis+cluster://a,b:65536',
    'redis+cluster://a,b:7000x',
    'redis+cluster://a,[::1',
    'redis+cluster://a,[::g]',
    'redis+cluster://a,[1:2]',
    'redis+cluster://a b',
    'redis+cluster://a,b/1',
    'redis+cluster://a,b/name',
    'redis+cluster://a?x=1',
    'redis+cluster://u:%E0%A4%A@a,b',
    'redis+sentinel://a,b/name/x',
    'redis+sentinel://a,b/na%20me',
    'redis+sentinel://a,b/name/1/2',
    'redis+unix://a',
    'redis+cluster:a',
    'redis://a,b',
    'redis://a:0',
  ])('is refused: %s', (REDIS_URL) => {
    const { faults, message } = refusal({ REDIS_URL, REDIS_SENTINEL_NAME: '' })
    expect(faults.map(({ name }) => name)).toContain('REDIS_URL')
    expect(message).not.toContain('%E0')
  })

  it.each([
    'redis://u:p/w@a',
    'redis://u:1/w@a:1',
    'redis+cluster://:p?w@a,b',
    'redis+cluster://u:p#w@a,b',
    'rediss+sentinel://u:p%w@a,b/m',
  ])('is refused for its password, with what to do: %s', (REDIS_URL) => {
    expect(refusal({ REDIS_URL }).message).toContain('percent-encoded credentials: %2F for /')
  })

  it('needs the name of the master, there or in REDIS_SENTINEL_NAME', () => {
    expect(faultsOf({ REDIS_URL: 'redis+sentinel://a,b' })).toEqual(['REDIS_SENTINEL_NAME'])
    const { store } = load({
      REDIS_URL: 'redis+sentinel://a,b',
      REDIS_SENTINEL_NAME: 'main',
    }).config
    expect(store).toMatchObject({ sentinel: { name: 'main' } })
  })

  it.each([
    ['REDIS_MODE', { REDIS_URL: 'redis+cluster://a,b', REDIS_MODE: 'sentinel' }],
    ['REDIS_MODE', { REDIS_URL: 'redis://a', REDIS_MODE: 'cluster' }],
    ['REDIS_MODE', { REDIS_MODE: 'replica' }],
    ['REDIS_TLS', { REDIS_URL: 'redis://a', REDIS_TLS: 'on' }],
    ['REDIS_TLS', { REDIS_URL: 'rediss+cluster://a', REDIS_TLS: 'off' }],
    ['REDIS_SENTINEL_NAME', { REDIS_URL: 'redis+sentinel://a/m', REDIS_SENTINEL_NAME: 'n' }],
    ['REDIS_SENTINEL_NAME', { REDIS_URL: 'redis+cluster://a', REDIS_SENTINEL_NAME: 'n' }],
    ['REDIS_SENTINEL_USERNAME', { REDIS_HOST: 'a', REDIS_SENTINEL_USERNAME: 'n' }],
    ['REDIS_CA', { REDIS_URL: 'redis://a', REDIS_CA: 'ca.pem' }],
    ['REDIS_TLS_NAME', { REDIS_HOST: 'a', REDIS_TLS_NAME: 'redis.internal' }],
    ['REDIS_PROTOCOL', { REDIS_HOST: 'a', REDIS_PROTOCOL: '4' }],
    ['REDIS_CLIENT_NAME', { REDIS_HOST: 'a', REDIS_CLIENT_NAME: 'a b' }],
  ])('stops the start with the name of what contradicts it: %s', (name, env) => {
    expect(faultsOf(env as Record<string, string>)).toEqual([name])
  })
})

describe('the parts', () => {
  it('name a cluster', () => {
    const { store } = load({
      REDIS_MODE: 'cluster',
      REDIS_HOST: 'a, b:7001,[::1]:7002,::2',
      REDIS_PORT: '7000',
    }).config
    expect(store).toMatchObject({
      mode: 'cluster',
      endpoints: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
        { host: '::1', port: 7002 },
        { host: '::2', port: 7000 },
      ],
    })
  })

  it('name Sentinels, at their own port', () => {
    const { store } = load({
      REDIS_MODE: 'sentinel',
      REDIS_HOST: 'a,b:1',
      REDIS_SENTINEL_NAME: 'main',
      REDIS_DB: '2',
    }).config
    expect(store).toMatchObject({
      mode: 'sentinel',
      endpoints: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 1 },
      ],
      sentinel: { name: 'main' },
      db: 2,
    })
  })

  it.each([
    [['REDIS_HOST'], { REDIS_HOST: 'a,b' }],
    [['REDIS_HOST'], { REDIS_HOST: 'a,b:99999', REDIS_MODE: 'cluster' }],
    [['REDIS_HOST'], { REDIS_HOST: 'a,,b', REDIS_MODE: 'cluster' }],
    [['REDIS_DB'], { REDIS_HOST: 'a,b', REDIS_MODE: 'cluster', REDIS_DB: '1' }],
    [['REDIS_SENTINEL_NAME'], { REDIS_HOST: 'a', REDIS_MODE: 'sentinel' }],
  ])('are refused: %j', (names, env) => {
    expect(faultsOf(env as Record<string, string>)).toEqual(names)
  })
})

describe('TLS', () => {
  const { ca, cert, key } = certificateFor('redis.internal')
  const files = { 'ca.pem': ca, 'cert.pem': cert, 'key.pem': key, 'empty.pem': '' }
  const env = { REDIS_MODE: 'cluster', REDIS_HOST: 'a,b', REDIS_TLS: 'on' }

  it('is set up by files, which are secrets', () => {
    const { config, secrets } = load(
      {
        ...env,
        ...{ REDIS_CA: 'ca.pem', REDIS_CERT: 'cert.pem', REDIS_KEY: 'key.pem' },
        REDIS_TLS_NAME: 'redis.internal',
      },
      { files },
    )
    expect(config.store).toMatchObject({ tls: true, tlsName: 'redis.internal' })
    expect(secrets.redisTls).toEqual({ ca, cert, key })
    expect(new X509Certificate(secrets.redisTls?.cert ?? '').subjectAltName).toMatch(/redis/)
    expect(JSON.stringify(config)).not.toContain('PRIVATE KEY')
  })

  it.each([
    ['REDIS_CA', { REDIS_CA: 'missing.pem' }],
    ['REDIS_CA', { REDIS_CA: 'key.pem' }],
    ['REDIS_CA', { REDIS_CA: 'empty.pem' }],
    ['REDIS_KEY', { REDIS_CERT: 'cert.pem' }],
    ['REDIS_CERT', { REDIS_KEY: 'key.pem' }],
    ['REDIS_KEY', { REDIS_CERT: 'cert.pem', REDIS_KEY: 'cert.pem' }],
    ['REDIS_KEY', { REDIS_CERT: 'ca.pem', REDIS_KEY: 'key.pem' }],
  ])('is refused: %s', (name, more) => {
    expect(faultsOf({ ...env, ...(more as Record<string, string>) }, { files })).toEqual([name])
  })
})
