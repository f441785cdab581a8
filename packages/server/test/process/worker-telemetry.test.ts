/** Logs, metrics and limits of several workers: those of one node. */

import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { scrape } from '../support/scrape.ts'
import { postModern, read } from '../support/wire.ts'
import { startWorkers } from '../support/workers.ts'

vi.setConfig({ testTimeout: 300_000 })

const FAULTS = join(import.meta.dirname, '../fixtures/faults')

const COUNT = 'mcp_tool_call_duration_seconds_count'
const LABELS = { tool: 'where', outcome: 'ok' }

/** Makes concurrent calls, which open connections to both workers; returns the processes. */
async function callAll(url: string, count: number): Promise<ReadonlySet<unknown>> {
  const params = { name: 'where', arguments: { text: 'x'.repeat(500), delayMs: 20 } }
  const answers = await Promise.all(
    Array.from({ length: count }, () => read(postModern(url, 'tools/call', params))),
  )
  return new Set(answers.map(({ message }) => Object(message.result?.structuredContent).pid))
}

describeRedis('plain', 'two workers', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis('plain')
  })
  afterAll(() => redis?.stop())

  test('have one set of metrics, which survives the death of one', async () => {
    const metricsPort = await freePort()
    const env = { METRICS_PORT: String(metricsPort) }
    const { url, server, pidOf, lines } = await startWorkers(redis, env)
    const at = `http://localhost:${metricsPort}`
    expect(lines('workers ready')).toMatchObject([{ workers: 2, metricsPort }])
    expect(await callAll(url, 20)).toEqual(new Set([pidOf(1), pidOf(2)]))
    await expect.poll(async () => (await scrape(at)).sum(COUNT, LABELS)).toBe(20)
    const before = await scrape(at)
    const bucket = { ...LABELS, le: '+Inf' }
    expect(before.sum('mcp_tool_call_duration_seconds_bucket', bucket)).toBe(20)
    expect(before.sum('mcp_build_info')).toBe(1)
    expect(before.sum('mcp_redis_shards')).toBe(1)
    expect(before.sum('mcp_redis_shards_ready')).toBe(1)
    expect(before.sum('mcp_workers_ready')).toBe(2)
    expect(before.text).not.toMatch(/ (?:null|undefined)$/m)

    process.kill(pidOf(1), 'SIGKILL')
    await server.line('worker ended; restarting it')
    const after = await scrape(at)
    expect(after.sum(COUNT, LABELS)).toBe(20)
    expect(after.sum('mcp_worker_deaths_total')).toBe(1)
    const ready = async () => (await scrape(at)).sum('mcp_workers_ready')
    await expect.poll(ready, { timeout: 120_000 }).toBe(2)
    expect((await scrape(at)).sum(COUNT, LABELS)).toBe(20)
    expect((await fetch(`${url}/metrics`)).status).toBe(404)
  })

  test('are scraped with the previous values of one that cannot collect its own', async () => {
    const metricsPort = await freePort()
    const env = { METRICS_PORT: String(metricsPort), TOOLS_DIR: FAULTS }
    const { url, server, lines } = await startWorkers(redis, env)
    const at = `http://localhost:${metricsPort}`
    expect((await scrape(at)).sum('mcp_build_info')).toBe(1)
    const params = { name: 'break_metrics', arguments: {} }
    const { message } = await read(postModern(url, 'tools/call', params))
    const { pid } = Object(message.result?.structuredContent)
    const { worker } = lines('ready').find((each) => each.pid === pid) ?? expect.fail('no worker')
    const both = await scrape(at)
    expect(both.sum('mcp_workers_ready')).toBe(2)
    expect(both.sum('mcp_build_info')).toBe(1)
    await server.line('metrics not collected')
    expect(lines('metrics not collected')).toMatchObject([
      { worker, reason: 'Error: no CPU counters' },
    ])
    expect(lines('worker ended; restarting it')).toEqual([])
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })

  test('are ready as far as they respond: one whose event loop is blocked is not', async () => {
    const metricsPort = await freePort()
    const env = { METRICS_PORT: String(metricsPort), TOOLS_DIR: FAULTS }
    const { url } = await startWorkers(redis, env)
    const ready = async () =>
      (await scrape(`http://localhost:${metricsPort}`)).sum('mcp_workers_ready')
    expect(await ready()).toBe(2)
    await read(postModern(url, 'tools/call', { name: 'block', arguments: { ms: 8000 } }))
    await expect.poll(ready, { timeout: 6000 }).toBe(1)
    await expect.poll(ready, { timeout: 30_000 }).toBe(2)
  })

  test('answer scrapes at the main port for both, only with the token', async () => {
    const METRICS_TOKEN = 'a'.repeat(32)
    const { url } = await startWorkers(redis, { METRICS_TOKEN, NODE_ENV: 'test' })
    await callAll(url, 20)
    const headers = { authorization: `Bearer ${METRICS_TOKEN}`, connection: 'close' }
    await expect.poll(async () => (await scrape(url, headers)).sum(COUNT, LABELS)).toBe(20)
    const both = await Promise.all(Array.from({ length: 6 }, () => scrape(url, headers)))
    for (const each of both) expect(each.sum(COUNT, LABELS)).toBe(20)
    const forwarded = { 'x-forwarded-for': '192.0.2.1' }
    expect((await fetch(`${url}/metrics`, { headers: forwarded })).status).toBe(404)
  })

  test('write whole lines to one stream, each with the number of its worker', async () => {
    const { url, server, lines, pidOf } = await startWorkers(redis)
    await callAll(url, 200)
    await server.stop()
    for (const line of server.output.stdout.trimEnd().split('\n')) JSON.parse(line)
    const waiting = lines('waiting')
    expect(waiting).toHaveLength(200)
    for (const { worker, pid } of waiting) expect(pid).toBe(pidOf(Number(worker)))
    expect(new Set(waiting.map(({ worker }) => worker))).toEqual(new Set([1, 2]))
    expect(lines('workers ready')[0]).not.toHaveProperty('worker')
  })

  test('write whole lines to one LOG_FILE and one AUDIT_FILE', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-logs-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const [LOG_FILE, AUDIT_FILE] = [join(folder, 'log'), join(folder, 'audit')]
    const { url, server } = await startWorkers(redis, { LOG_FILE, AUDIT_FILE })
    await callAll(url, 200)
    await server.stop()
    const linesIn = (file: string) =>
      readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    expect(linesIn(LOG_FILE).filter(({ msg }) => msg === 'waiting')).toHaveLength(200)
    const audited = linesIn(AUDIT_FILE).filter(({ tool }) => tool === 'where')
    expect(audited).toHaveLength(200)
    expect(new Set(audited.map(({ worker }) => worker))).toEqual(new Set([1, 2]))
  })

  test('hold as many connections together as MAX_SOCKETS allows', async () => {
    const metricsPort = await freePort()
    const env = { MAX_SOCKETS: '4', METRICS_PORT: String(metricsPort) }
    const { url } = await startWorkers(redis, env)
    const sockets: Socket[] = []
    const held = () => sockets.filter(({ closed }) => !closed).length
    const refused = async () => {
      const metrics = await scrape(`http://localhost:${metricsPort}`)
      return metrics.sum('mcp_rate_limited_total', { scope: 'sockets' })
    }
    // A worker that is busy gets few of the connections that arrive together: more follow.
    while (held() < 4) {
      sockets.push(...(await Promise.all(Array.from({ length: 10 }, () => openSocket(url)))))
      await expect
        .poll(async () => [held() <= 4, held() + (await refused())])
        .toEqual([true, sockets.length])
    }
    for (const socket of sockets) socket.destroy()
    await expect.poll(async () => (await fetch(`${url}/livez`)).status).toBe(200)
  })
})

/** Opens a connection with an incomplete request, so that it does not count as idle. */
async function openSocket(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n')
  return socket
}
