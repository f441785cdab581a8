/** Health of Redis: reasons, from infrequent probes. */

import { createClient } from '@redis/client'
import { expect, it, onTestFinished } from 'vitest'
import type { AppError } from '../../src/errors.ts'
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis.ts'
import { explainUnfit } from '../../src/store/redis-unfit.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import type { RedisKind } from '../support/redis-binaries.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { MISCONFIGURATIONS } from './redis-misconfigurations.ts'

interface Line {
  readonly level: 'info' | 'warn'
  readonly fields: object
  readonly message: string
}

/** `onFinished` is that of the test, where several run at once. */
function openStore(
  url: string,
  options: Partial<RedisStoreOptions> = {},
  onFinished: (close: () => Promise<void>) => void = onTestFinished,
) {
  const lines: Line[] = []
  const note = (level: Line['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields, message })
  const store = createRedisStore({
    url,
    log: { info: note('info'), warn: note('warn') },
    ...options,
  })
  onFinished(() => store.close())
  return {
    store,
    lines,
    about: (message: string) => lines.filter((line) => line.message === message),
    reason: () =>
      store.checkHealth().then(
        () => 'healthy',
        (error: AppError) => error.message,
      ),
  }
}

const SOON = { interval: 20 }

describeRedis('plain', 'a Redis that cannot serve requests: ', () => {
  it.concurrent.for(Object.entries(MISCONFIGURATIONS))(
    '%s',
    async ([_name, { reason, message, open }], { expect, onTestFinished }) => {
      const { url, stop } = await open()
      onTestFinished(stop)
      const { store, reason: reported, about } = openStore(url, {}, onTestFinished)
      await expect.poll(reported, SOON).toMatch(message)
      await expect(store.checkHealth()).rejects.toMatchObject({ code: 'unavailable', status: 503 })
      expect(await reported()).not.toMatch(/127\.0\.0\.1|:\d{4,}|secret|limited/)
      // After another probe the reason is the same, and was logged once.
      await new Promise((resolve) => setTimeout(resolve, 2500))
      await expect.poll(reported, SOON).toMatch(message)
      const detail = expect.stringMatching(message)
      expect(about('Redis cannot serve requests.')).toEqual([
        { level: 'warn', fields: { reason, detail }, message: expect.anything() },
      ])
      expect(about('Redis unreachable; reconnecting').length).toBeLessThan(2)
    },
  )
})

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `the health of Redis (${kind})`, () => healthOf(kind))
}

function healthOf(kind: RedisKind): void {
  it('changes, and each change is logged once', async () => {
    const redis = await startRedis(kind)
    onTestFinished(() => redis.stop())
    const admin = await createClient({ url: redis.url }).connect()
    onTestFinished(() => admin.destroy())
    const { reason, about } = openStore(redis.url)
    await expect.poll(reason, SOON).toBe('healthy')
    await admin.configSet('maxmemory', '1')
    await expect.poll(reason, SOON).toMatch(/OOM/)
    await admin.configSet('maxmemory', '0')
    await expect.poll(reason, SOON).toBe('healthy')
    expect(about('Redis cannot serve requests.')).toHaveLength(1)
    expect(about('Redis serves requests again.')).toHaveLength(1)
  })

  it('writes nothing but the form of the documents, once', async () => {
    const redis = await startRedis(kind)
    onTestFinished(() => redis.stop())
    const { reason } = openStore(redis.url)
    await expect.poll(reason, SOON).toBe('healthy')
    const admin = await createClient({ url: redis.url }).connect()
    onTestFinished(() => admin.destroy())
    const form = () => admin.get('mcp:{nodes}:form')
    await expect.poll(form, SOON).toBe(kind === 'json' ? 'json' : 'strings')
    const probes = async () =>
      Number(/cmdstat_xtrim:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1])
    const changes = async () =>
      /rdb_changes_since_last_save:\d+/.exec(await admin.info('persistence'))
    const [probed, changed] = [await probes(), await changes()]
    await expect.poll(probes, { timeout: 10_000 }).toBeGreaterThan(probed + 1)
    expect(await changes()).toEqual(changed)
    expect(await admin.keys('*')).toEqual(['mcp:{nodes}:form'])
  })

  it('is probed every two seconds, however often it is read', async () => {
    const redis = await startRedis(kind)
    onTestFinished(() => redis.stop())
    const { reason, store } = openStore(redis.url)
    await expect.poll(reason, SOON).toBe('healthy')
    const admin = await createClient({ url: redis.url }).connect()
    onTestFinished(() => admin.destroy())
    const probes = async () =>
      Number(/cmdstat_xtrim:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1])
    const startedAt = performance.now()
    const before = await probes()
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(Array.from({ length: 500 }, () => store.checkHealth()))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const probed = (await probes()) - before
    const passedMs = performance.now() - startedAt
    expect(probed).toBeLessThanOrEqual(Math.floor(passedMs / 2000) + 1)
  })

  it('changes at once when the connection is lost or restored', async () => {
    const redis = await startRedis(kind)
    onTestFinished(() => redis.stop())
    const { reason } = openStore(redis.url)
    await expect.poll(reason, SOON).toBe('healthy')
    await redis.kill()
    await expect.poll(reason, SOON).toMatch(/cannot be reached/)
    await redis.restart()
    await expect.poll(reason, SOON).toBe('healthy')
  })

  it('is lost as soon as a request times out', async () => {
    const redis = await startRedis(kind)
    onTestFinished(() => redis.stop())
    const { store, reason } = openStore(redis.url, { timeoutMs: 300 })
    await expect.poll(reason, SOON).toBe('healthy')
    redis.pause()
    await expect(store.get('key')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await reason()).toMatch(/does not answer in time/)
    redis.resume()
    await expect.poll(reason, SOON).toBe('healthy')
  })

  it('is lost while the server hangs', async () => {
    const redis = await startRedis(kind)
    onTestFinished(() => redis.stop())
    const { reason } = openStore(redis.url)
    await expect.poll(reason, SOON).toBe('healthy')
    redis.pause()
    await expect.poll(reason, SOON).toMatch(/cannot be reached/)
    redis.resume()
    await expect.poll(reason, SOON).toBe('healthy')
  })
}

describeRedis('plain', 'a Redis that may evict keys', () => {
  it.each(['warn', 'refuse'] as const)('has the severity of EVICTION=%s', async (eviction) => {
    const redis = await startRedis('plain', ['--maxmemory', '64mb'])
    onTestFinished(() => redis.stop())
    const admin = await createClient({ url: redis.url }).connect()
    onTestFinished(() => admin.destroy())
    const { store, reason, about } = openStore(redis.url, { eviction })
    await expect.poll(reason, SOON).toBe('healthy')
    expect(await store.checkHealth()).toEqual({ warnings: [] })
    await admin.configSet('maxmemory-policy', 'allkeys-lru')
    const evicts = /maxmemory-policy allkeys-lru/
    if (eviction === 'refuse') await expect.poll(reason, SOON).toMatch(evicts)
    else {
      const warnings = async () => (await store.checkHealth()).warnings
      const expected = [{ code: 'evicts_keys', message: expect.stringMatching(evicts) }]
      await expect.poll(warnings, SOON).toEqual(expected)
    }
    expect(about('Redis is not safe to keep sessions in.')).toHaveLength(1)
    await admin.configSet('maxmemory-policy', 'noeviction')
    await expect.poll(reason, SOON).toBe('healthy')
  })

  it('is not reported for a Redis without a limit', async () => {
    const redis = await startRedis('plain', ['--maxmemory-policy', 'allkeys-lru'])
    onTestFinished(() => redis.stop())
    const { store, reason } = openStore(redis.url, { eviction: 'refuse' })
    await expect.poll(reason, SOON).toBe('healthy')
    expect(await store.checkHealth()).toEqual({ warnings: [] })
  })
})

it('is unreachable where nothing listens', async () => {
  const { reason } = openStore(`redis://127.0.0.1:${await freePort()}`)
  await expect.poll(reason, SOON).toMatch(/nothing listens at its address/)
  // A server without TLS leaves the handshake unanswered.
  const { detail } = explainUnfit(new Error('Connection timeout'))
  expect(detail).toContain('rediss with TLS, redis without')
})
