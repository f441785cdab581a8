/** An uncaught exception in one of two workers: the other serves. */

import { get } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { postModern, read } from '../support/wire.ts'
import { startWorkers } from '../support/workers.ts'

vi.setConfig({ testTimeout: 300_000 })

const TOOLS_DIR = join(import.meta.dirname, '../fixtures/faults')
const CALLERS = 12

describeRedis('plain', 'a worker that faults', () => {
  test('finishes its calls, gets no new connections, and is replaced', async () => {
    const redis = await startRedis('plain')
    onTestFinished(() => redis.stop())
    const { url, server, lines } = await startWorkers(redis, { TOOLS_DIR, STOP_DELAY: '1' })
    const call = (name: string, input: object) =>
      read(postModern(url, 'tools/call', { name, arguments: input }))
    const calls = Array.from({ length: CALLERS }, () => call('wait', { ms: 3000 }))
    await expect.poll(() => lines('waiting').length).toBe(CALLERS)
    await call('fail', { fault: 'timer' })
    const { worker } = await server.line('uncaught exception')
    // The primary process has to notice first.
    const probes = () =>
      Promise.all(Array.from({ length: 10 }, () => statusOf(`${url}/readyz`).catch(String)))
    await expect.poll(probes).toEqual(Array(10).fill(200))
    for (const answer of await Promise.all(calls)) {
      expect(answer.message.result).toMatchObject({ structuredContent: { waited: 3000 } })
    }
    await server.line('worker ended; restarting it')
    expect(lines('worker ended; restarting it')).toMatchObject([{ worker, code: 1 }])
    await expect.poll(() => lines('ready').length, { timeout: 120_000 }).toBe(3)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })
})

/** On a connection of its own. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    }).on('error', reject)
  })
}
