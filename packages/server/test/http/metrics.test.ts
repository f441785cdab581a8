/** `/metrics`: access at the main port, and a port of its own. */

import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect as openSocket } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { openMetricsPort } from '../../src/http/metrics-route.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { recordingLogger } from '../../src/testing/recording-logger.ts'
import { load, production } from '../config/load.ts'
import { startApp, type TestApp, type TestAppOptions } from '../support/app.ts'
import { scrape } from '../support/scrape.ts'

const TOKEN = 'scrape-me-if-you-can'

const open: TestApp[] = []
afterEach(async () => {
  for (const app of open.splice(0)) await app.stop()
})

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await startApp(options)
  open.push(app)
  return app
}

/** With a memory store, which production would not permit. */
function startInProduction(env: Record<string, string> = {}): Promise<TestApp> {
  return start({ env: { ...production, ...env }, store: createMemoryStore() })
}

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** Sends any `Host`, which `fetch` does not allow. */
function get(url: string, path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<Answer>((resolve, reject) => {
    const call = httpRequest(new URL(path, url), { headers, method }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const { date: _date, 'x-request-id': _id, ...rest } = response.headers
      resolve({
        status: response.statusCode,
        headers: rest,
        body: Buffer.concat(chunks).toString(),
      })
    })
    call.on('error', reject).end()
  })
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('at the main port, outside production', () => {
  test('a program on this machine may read', async () => {
    const { url } = await start()
    const answer = await get(url, '/metrics')
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/plain; version=0\.0\.4/),
      'cache-control': 'no-store',
    })
    expect(answer.body).toContain('mcp_build_info{version=')
    expect(answer.body).toContain('nodejs_eventloop_lag_seconds')
    expect(answer.body).toContain('process_cpu_seconds_total')
  })

  test.each([
    ['x-forwarded-for', '203.0.113.7'],
    ['x-forwarded-proto', 'https'],
    ['forwarded', 'for=203.0.113.7'],
    ['x-real-ip', '203.0.113.7'],
    ['via', '1.1 proxy'],
  ])('a request through a proxy on this machine (%s) gets 404', async (name, value) => {
    const { url } = await start()
    expect(await get(url, '/metrics', { [name]: value })).toEqual(
      await get(url, '/no-such-path', { [name]: value }),
    )
  })

  test('a request with another host name gets 404', async () => {
    const { localUrl } = await start({ env: { ALLOWED_HOSTS: 'mcp.example.com' } })
    const host = { host: 'mcp.example.com' }
    const nothing = await get(localUrl, '/no-such-path', host)
    expect(nothing.status).toBe(404)
    expect(await get(localUrl, '/metrics', host)).toEqual(nothing)
  })

  test('other methods get 404, not 405', async () => {
    const { url } = await start()
    const nothing = await get(url, '/no-such-path', {}, 'POST')
    expect(await get(url, '/metrics', {}, 'POST')).toEqual(nothing)
    expect(nothing.status).toBe(404)
  })

  test('two servers of one process count separately', async () => {
    const [first, second] = [await start(), await start()]
    await fetch(`${first.url}/livez`)
    const counted = async (app: TestApp) =>
      (await scrape(app.url)).sum('mcp_http_request_duration_seconds_count', { route: '/livez' })
    await expect.poll(() => counted(first)).toBe(1)
    expect(await counted(second)).toBe(0)
  })
})

describe('in production', () => {
  test('nobody may read without a token, not even from this machine', async () => {
    const { localUrl } = await startInProduction()
    const nothing = await get(localUrl, '/no-such-path', bearer(TOKEN))
    expect(nothing.status).toBe(404)
    expect(await get(localUrl, '/metrics', bearer(TOKEN))).toEqual(nothing)
    expect(await get(localUrl, '/metrics')).toEqual(await get(localUrl, '/no-such-path'))
  })

  test('the token is required, and a wrong one gets 404', async () => {
    const { localUrl } = await startInProduction({ METRICS_TOKEN: TOKEN })
    const nothing = await get(localUrl, '/no-such-path')
    for (const headers of [{}, bearer(`${TOKEN}x`), bearer(''), { authorization: TOKEN }]) {
      expect(await get(localUrl, '/metrics', headers)).toEqual(nothing)
    }
    const answer = await get(localUrl, '/metrics', bearer(TOKEN))
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('mcp_build_info')
    expect(answer.body).not.toContain(TOKEN)
  })
})

describe('with a port of its own', () => {
  test('it is served there, and not at the main port', async () => {
    const app = await start({ env: { METRICS_PORT: '0' } })
    const own = `http://127.0.0.1:${app.metricsPort}`
    expect((await get(own, '/metrics')).body).toContain('mcp_build_info')
    expect((await get(own, '/metrics?x=1')).status).toBe(200)
    expect((await get(own, '/livez')).status).toBe(404)
    expect((await get(own, '/metrics', {}, 'POST')).status).toBe(404)
    expect(await get(app.url, '/metrics')).toEqual(await get(app.url, '/no-such-path'))
  })

  test('it requires the token, if one is configured', async () => {
    const app = await start({ env: { METRICS_PORT: '0', METRICS_TOKEN: TOKEN } })
    const own = `http://127.0.0.1:${app.metricsPort}`
    expect((await get(own, '/metrics')).status).toBe(404)
    expect((await get(own, '/metrics', bearer(TOKEN))).status).toBe(200)
  })

  test('it is closed when the server stops', async () => {
    const app = await startApp({ env: { METRICS_PORT: '0' } })
    await app.stop()
    await expect(get(`http://127.0.0.1:${app.metricsPort}`, '/metrics')).rejects.toThrow(
      'ECONNREFUSED',
    )
  })
})

describe('faults at a port of its own', () => {
  async function open(scrape: () => Promise<{ contentType: string; text: string }>) {
    const { log, lines } = recordingLogger('error')
    const { config, secrets } = load({ METRICS_PORT: '0' })
    const opened = await openMetricsPort({ scrape }, { config, secrets, log })
    onTestFinished(() => opened?.close())
    return { url: `http://127.0.0.1:${opened?.port}`, lines }
  }

  const good = async () => ({ contentType: 'text/plain', text: 'up 1\n' })

  test('a metric that cannot be collected is an error of one scrape, and logged', async () => {
    let fails = true
    const { url, lines } = await open(() =>
      fails ? Promise.reject(new Error('no counters')) : good(),
    )
    const answer = await get(url, '/metrics')
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('no counters')
    expect(lines()).toEqual([
      expect.objectContaining({
        msg: 'metrics not collected',
        err: expect.objectContaining({ message: 'no counters' }),
      }),
    ])
    fails = false
    expect(await get(url, '/metrics')).toMatchObject({ status: 200, body: 'up 1\n' })
  })

  test.each([
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['no Host', 'GET /metrics HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a long header', `GET /metrics HTTP/1.1\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, / 431 /],
    ['an absolute target', 'GET http://a b/ HTTP/1.1\r\nhost: localhost\r\n\r\n', / 400 /],
    ['another path', 'GET //metrics HTTP/1.1\r\nhost: localhost\r\n\r\n', / 404 /],
  ])('a request with %s is refused, and the next one served', async (_what, text, status) => {
    const { url, lines } = await open(good)
    const socket = openSocket(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(text)
    const [head] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    expect(head.toString().split('\r\n', 1)[0]).toMatch(status)
    expect((await get(url, '/metrics')).status).toBe(200)
    expect(lines()).toEqual([])
  })

  test('a scraper that disconnects ends nothing', async () => {
    const answers: (() => void)[] = []
    const { url, lines } = await open(async () => {
      await new Promise<void>((resolve) => void answers.push(resolve))
      return good()
    })
    const socket = openSocket(Number(new URL(url).port), '127.0.0.1')
    socket.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await expect.poll(() => answers.length).toBe(1)
    socket.destroy()
    await once(socket, 'close')
    answers[0]?.()
    const later = get(url, '/metrics')
    await expect.poll(() => answers.length).toBe(2)
    answers[1]?.()
    expect((await later).status).toBe(200)
    expect(lines()).toEqual([])
  })

  test('a port in use prevents the start, with the variable to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { config, secrets } = load({ METRICS_PORT: String(port) })
    const { log } = recordingLogger()
    await expect(openMetricsPort({ scrape: good }, { config, secrets, log })).rejects.toThrow(
      `metrics cannot be served at ${config.metrics.host}:${port}: listen EADDRINUSE: address already in use ${config.metrics.host}:${port}: set METRICS_PORT to a free port, or stop the other process`,
    )
  })
})
