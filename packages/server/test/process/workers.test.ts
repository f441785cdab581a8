/** WORKERS: several processes behind one port; crash, replacement and shutdown. */

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { structured } from '../support/clients.ts'
import { FULL_CLIENTS } from '../support/full-clients.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { startSteadyLoad } from '../support/steady-load.ts'
import { faultsIn } from '../support/three-nodes.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'
import { startWorkers, type Workers } from '../support/workers.ts'

// Each test starts three processes, one after the other.
vi.setConfig({ testTimeout: 300_000 })

interface Remembered {
  readonly before: string
  readonly session: string
  readonly pid: number
}

describeRedis('plain', 'two workers behind one port', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis('plain')
  })
  afterAll(() => redis?.stop())

  const pidsOf = ({ pidOf }: Workers) => [pidOf(1), pidOf(2)]

  /** Calls of both eras that are running when this resolves, by the worker that runs them. */
  async function startCalls({ url, lines }: Workers, delayMs: number) {
    const headers = await connect(url)
    const calls = Array.from({ length: 12 }, (_, index) => {
      const text = `call ${index}`
      const params = { name: 'where', arguments: { text, delayMs } }
      const answer = read(
        index % 2 === 0
          ? postModern(url, 'tools/call', params)
          : post(url, request('tools/call', params), headers),
      )
      const outcome = answer.then(
        // With `connection: close`, fetch reports an aborted response as complete, without a message.
        ({ message: { result, error } }) => (result ? 'answered' : error ? 'error' : 'lost'),
        () => 'lost',
      )
      return { text, outcome }
    })
    await expect.poll(() => lines('waiting').length).toBe(calls.length)
    const started = lines('waiting')
    const workerOf = (text: string) =>
      started.find((line) => JSON.stringify(line).includes(`"${text}"`))?.worker
    return calls.map((call) => ({ ...call, worker: workerOf(call.text) }))
  }

  test.each(Object.entries(FULL_CLIENTS))('share all sessions (%s)', async (_name, connectFull) => {
    const workers = await startWorkers(redis)
    const client = await connectFull(workers.url)
    const call = async (input: object) =>
      structured<Remembered>(await client.call('remember', { ...input }))
    const { session } = await call({ text: 'kept' })
    const handle = session === '' ? {} : { session }
    // Concurrent requests open connections, which the workers get in turn.
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(handle)))
    expect(new Set(answers.map(({ pid }) => pid))).toEqual(new Set(pidsOf(workers)))
    for (const { before } of answers) expect(before).toBe('kept')
    await client.close()
    expect(await workers.server.stop()).toEqual({ code: 0, signal: null })
    expect(faultsIn(workers.server.output.stdout)).toEqual([])
  })

  test('one is killed under load: only its calls fail, no session is lost, it is replaced', async () => {
    const workers = await startWorkers(redis, { LOG_LEVEL: 'info' })
    const { url, server, lines } = workers
    const killed = workers.pidOf(1)
    // Longer than the primary process takes to notice: no client calls twice meanwhile.
    const load = await startSteadyLoad(url, FULL_CLIENTS, { clientsOfEachKind: 4, pauseMs: 250 })
    const calls = await startCalls(workers, 8000)
    process.kill(killed, 'SIGKILL')
    await server.line('worker ended; restarting it')
    const killedAt = performance.now()
    await expect.poll(() => workers.pidOf(1), { timeout: 120_000 }).not.toBe(killed)
    await delay(2000)
    const report = await load.stop()

    for (const { startedAt } of report.failures) expect(startedAt).toBeLessThan(killedAt)
    // Each client waits for a response before its next call: it had one call running, or none.
    const clients = report.failures.map(({ text }) => text.replace(/ \d+$/, ''))
    expect(new Set(clients).size).toBe(clients.length)
    expect(report.forgotten).toEqual([])
    expect(report.pids).toContain(workers.pidOf(2))
    expect(new Set(calls.map(({ worker }) => worker))).toEqual(new Set([1, 2]))
    for (const { outcome, worker } of calls) {
      expect(await outcome).toBe(worker === 1 ? 'lost' : 'answered')
    }
    expect(lines('worker ended; restarting it')).toMatchObject([
      { level: 'error', worker: 1, signal: 'SIGKILL' },
    ])
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'all are drained: running calls are finished (%s)',
    async (signal) => {
      const workers = await startWorkers(redis)
      const calls = await startCalls(workers, 3000)
      workers.server.child.kill(signal)
      for (const { outcome } of calls) expect(await outcome).toBe('answered')
      expect(await workers.server.exited).toEqual({ code: 0, signal: null })
      expect(new Set(calls.map(({ worker }) => worker))).toEqual(new Set([1, 2]))
      expect(workers.lines('stopped').map(({ worker }) => worker)).toHaveLength(3)
    },
  )

  test('a signal of a terminal reaches all of them and counts once', async () => {
    const workers = await startWorkers(redis)
    const calls = await startCalls(workers, 3000)
    for (const pid of pidsOf(workers)) process.kill(pid, 'SIGINT')
    workers.server.child.kill('SIGINT')
    for (const { outcome } of calls) expect(await outcome).toBe('answered')
    expect(await workers.server.exited).toEqual({ code: 0, signal: null })
  })

  test('a second signal ends all of them at once', async () => {
    const workers = await startWorkers(redis)
    const calls = await startCalls(workers, 60_000)
    workers.server.child.kill('SIGTERM')
    await workers.server.line('stopping')
    workers.server.child.kill('SIGTERM')
    expect(await workers.server.exited).toEqual({ code: 1, signal: null })
    for (const { outcome } of calls) expect(await outcome).toBe('lost')
    await expect.poll(() => pidsOf(workers).filter(isAlive)).toEqual([])
  })

  test('one that is killed during shutdown is not replaced, and the exit code is 1', async () => {
    const workers = await startWorkers(redis)
    const calls = await startCalls(workers, 10_000)
    workers.server.child.kill('SIGTERM')
    await expect.poll(() => workers.lines('stopping').length).toBe(3)
    process.kill(workers.pidOf(1), 'SIGKILL')
    for (const { outcome, worker } of calls) {
      expect(await outcome).toBe(worker === 1 ? 'lost' : 'answered')
    }
    expect(await workers.server.exited).toEqual({ code: 1, signal: null })
    expect(workers.lines('ready')).toHaveLength(2)
  })

  test('they end with their primary', async () => {
    const workers = await startWorkers(redis)
    workers.server.child.kill('SIGKILL')
    await expect.poll(() => pidsOf(workers).filter(isAlive)).toEqual([])
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
