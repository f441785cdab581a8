/** WORKERS: the number, refusals, and the share of each worker in the limits. */

import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { configWarnings } from '../../src/config.ts'
import { faultsOf, load, production, refusal } from './load.ts'

const REDIS_URL = 'redis://127.0.0.1'

describe('WORKERS', () => {
  it.each([
    [{}, 1],
    [{ WORKERS: '1' }, 1],
    [{ WORKERS: '3', REDIS_URL }, 3],
    [{ WORKERS: '256', REDIS_URL, MAX_BODY_BYTES_IN_PROGRESS: '268435456' }, 256],
    [{ WORKERS: 'auto', REDIS_URL }, availableParallelism()],
    [{ ...production, WORKERS: '2' }, 2],
  ])('%j', (env, workers) => {
    expect(load(env as Record<string, string>).config.workers).toBe(workers)
  })

  it.each(['0', '-1', '1.5', '2e1', '257', '1000', 'two', 'AUTO', ' 2', '٢', 'NaN', '0x2'])(
    'is refused as %j',
    (WORKERS) => {
      expect(refusal({ WORKERS, REDIS_URL }).faults).toEqual([
        { name: 'WORKERS', message: expect.stringContaining('auto, or an integer between 1 and') },
      ])
    },
  )

  it.each(['2', 'auto'])('requires Redis (%s)', (WORKERS) => {
    expect(refusal({ WORKERS }).message).toContain('WORKERS needs Redis')
  })

  it.each(['2', 'auto'])('is refused over stdio (%s)', (WORKERS) => {
    const given = { argv: ['stdio'] }
    expect(refusal({ WORKERS, REDIS_URL }, given).message).toContain('WORKERS conflicts with stdio')
    expect(faultsOf({ WORKERS }, given)).toEqual(['WORKERS'])
    expect(load({ WORKERS: '1' }, given).config.workers).toBe(1)
  })

  it('is ignored in development, with a warning', () => {
    const loaded = load({ WORKERS: '4' }, { isAlone: true })
    expect(loaded.config.workers).toBe(1)
    expect(loaded.config.http.maxCalls).toBe(load().config.http.maxCalls)
    expect(configWarnings(loaded)).toContainEqual({
      code: 'workers_ignored',
      message: expect.stringContaining('WORKERS is ignored'),
    })
  })
})

describe('the limits of a node', () => {
  const limits = {
    MAX_BODY_BYTES_IN_PROGRESS: '40000000',
    MAX_SOCKETS: '1000',
    MAX_STREAMS: '200',
    MAX_NODE_STREAMS: '401',
    MAX_CALLS: '40',
    MAX_CONNECTIONS: '400',
  }

  it('are divided among its workers, rounded down', () => {
    expect(load({ ...limits, WORKERS: '4', REDIS_URL }).config.http).toMatchObject({
      maxBodyBytesInProgress: 10_000_000,
      maxSockets: 250,
      maxStreams: 50,
      maxNodeStreams: 100,
      maxCalls: 10,
      maxConnections: 100,
    })
  })

  it('are undivided for a single process', () => {
    expect(load({ ...limits, REDIS_URL }).config.http).toMatchObject({
      maxBodyBytesInProgress: 40_000_000,
      maxCalls: 40,
    })
  })

  it('must be large enough for each worker to have a share', () => {
    const { message } = refusal({ WORKERS: '4', REDIS_URL, MAX_CALLS: '3', MAX_STREAMS: '4' })
    expect(message).toContain('MAX_CALLS must be at least 4 with 4 workers')
    expect(message).not.toContain('MAX_STREAMS')
  })

  it('must be large enough for each worker to receive the largest body', () => {
    const env = { WORKERS: '2', REDIS_URL, BODY_LIMIT_BYTES: '50000000' }
    expect(refusal(env).faults).toEqual([
      {
        name: 'MAX_BODY_BYTES_IN_PROGRESS',
        message: 'must be at least 100000000 with 2 workers',
      },
    ])
    expect(load({ ...env, MAX_BODY_BYTES_IN_PROGRESS: '100000000' }).config.workers).toBe(2)
  })
})
