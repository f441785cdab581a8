/** WORKERS that cannot start, or crash in a loop: an exit with a reason. */

import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { SLOW_START, spawnServer } from '../support/process.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { forkedBy, linesIn, startWorkers } from '../support/workers.ts'

vi.setConfig({ testTimeout: 300_000 })

const STACK = /^ +at /m
const REDIS_URL = 'redis://127.0.0.1:1'

test.each([
  ['sessions in memory', { WORKERS: '2' }, [], 'WORKERS needs Redis'],
  ['stdio', { WORKERS: 'auto', REDIS_URL }, ['stdio'], 'WORKERS conflicts with stdio'],
  ['an invalid number', { WORKERS: 'many', REDIS_URL }, [], 'WORKERS must be'],
  ['another fault', { WORKERS: '2', REDIS_URL, LOG_LEVEL: 'loud' }, [], 'LOG_LEVEL must be'],
  ['too small a limit', { WORKERS: '3', REDIS_URL, MAX_CALLS: '2' }, [], 'MAX_CALLS must be'],
])('ends at once with one message: %s', async (_name, env, args, message) => {
  const server = spawnServer({ env, args })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stdout).toBe('')
  expect(server.output.stderr.split(message)).toHaveLength(2)
  expect(server.output.stderr).not.toMatch(STACK)
})

test('a fault that only a worker detects is reported once, and ends the start', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  onTestFinished(() => void taken.close())
  const { port } = taken.address() as { port: number }
  const server = spawnServer({
    env: { WORKERS: '3', REDIS_URL, MASK_MCP_PORT: String(port), STOP_DELAY: '0' },
  })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.output.stderr.split('address already in use')).toHaveLength(2)
  expect(linesIn(server.output.stdout, 'no worker started')).toMatchObject([
    { level: 'fatal', code: 1 },
  ])
})

describeRedis('plain', 'workers that were started', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis('plain')
  })
  afterAll(() => redis?.stop())

  test.skipIf(process.platform !== 'linux')('are not restarted in a crash loop', async () => {
    const { server } = await startWorkers(redis)
    while (server.child.exitCode === null) {
      for (const pid of forkedBy(server.child.pid)) kill(pid)
      await delay(10)
    }
    expect(await server.exited).toEqual({ code: 1, signal: null })
    const restarts = linesIn(server.output.stdout, 'worker ended; restarting it')
    expect(restarts).toHaveLength(4)
    for (const each of [1, 2]) {
      const delays = restarts.filter(({ worker }) => worker === each).map(({ delayMs }) => delayMs)
      expect([100, 200, 400, 800].slice(0, delays.length)).toEqual(delays)
    }
    expect(linesIn(server.output.stdout, 'crash loop of workers')).toMatchObject([
      { level: 'fatal', signal: 'SIGKILL' },
    ])
  })

  test.skipIf(process.platform !== 'linux')(
    'do not delay a signal while the first one starts',
    async () => {
      const env = { NODE_ENV: 'test', MASK_MCP_PORT: '0', WORKERS: '2', REDIS_URL: redis.url }
      const server = spawnServer({ env: { ...env, ...SLOW_START } })
      await expect.poll(() => forkedBy(server.child.pid)).not.toEqual([])
      server.child.kill('SIGTERM')
      expect(await server.exited).toEqual({ code: 0, signal: null })
      expect(linesIn(server.output.stdout, 'workers ready')).toEqual([])
    },
  )
})

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
