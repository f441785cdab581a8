/** One trace from the client to the API, in a real collector. */

import { afterEach, describe, expect, test } from 'vitest'
import { formsOf } from '../../src/testing/leaks.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { type CollectedSpan, type Collector, startCollector } from '../support/otlp-collector.ts'
import { callWith, login, newBrowser, signInAs } from '../support/sign-in.ts'
import { recordTraffic } from '../support/traffic.ts'
import { connect, post, postModern, read, request } from '../support/wire.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const OTHER_TRACE = 'a'.repeat(32)
const PARENT = '00f067aa0ba902b7'
const traceparent = (trace = TRACE) => `00-${trace}-${PARENT}-01`

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Traced {
  readonly app: TestApp
  readonly collector: Collector
  /** Stops the server, which sends pending spans; returns the spans with these names. */
  spans(...names: string[]): Promise<CollectedSpan[]>
}

async function start(env: Record<string, string> = {}): Promise<Traced> {
  const collector = await startCollector()
  closing.push(collector.close)
  const app = await startApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env } })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= app.stop()
    return stopped
  }
  closing.push(stop)
  async function spans(...names: string[]) {
    await stop()
    return names.map((name) => {
      const found = collector.spans.filter((span) => span.name === name).at(-1)
      return found ?? expect.fail(`no span ${name} in ${collector.spans.map((each) => each.name)}`)
    })
  }
  return { app, collector, spans }
}

async function signedIn(app: TestApp): Promise<string> {
  const link = await login(app.url)
  await signInAs(newBrowser(), link)
  return link.session
}

const serviceCall = (session: string, meta: object = {}) => ({
  name: 'service',
  arguments: { session },
  _meta: meta,
})

describe('a trace', () => {
  test('continues from the client through request, tool and API', async () => {
    const { app, collector, spans } = await start()
    const session = await signedIn(app)
    const headers = { traceparent: traceparent(), tracestate: 'vendor=1' }
    await read(postModern(app.url, 'tools/call', serviceCall(session), { headers }))
    const [tool, call] = await spans('tools/call service', 'GET /accounts/{id}')
    const ofTrace = collector.spans.filter(({ traceId }) => traceId === TRACE)
    // The demo's API is on the same server, and continues the trace.
    const [first] = ofTrace.filter(({ parentSpanId }) => parentSpanId === PARENT)
    const api = ofTrace.find(({ parentSpanId }) => parentSpanId === call?.spanId)
    expect(first).toMatchObject({ name: 'POST /mcp', isError: false })
    expect(tool).toMatchObject({ traceId: TRACE, parentSpanId: first?.spanId })
    expect(call).toMatchObject({ traceId: TRACE, parentSpanId: tool?.spanId })
    expect(api).toMatchObject({ name: 'GET /demo/api/accounts/:id' })
    expect(first?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/mcp',
      'http.response.status_code': 200,
    })
    expect(tool?.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'service',
      'gen_ai.operation.name': 'execute_tool',
    })
    expect(call?.attributes).toMatchObject({
      'url.template': '/accounts/{id}',
      'http.response.status_code': 200,
    })
    expect(tool?.service).toBe('MCP Template')
  })

  test('has the commands to the store, and none of the background', async () => {
    const { app, collector, spans } = await start()
    const headers = await connect(app.url)
    const fields = { ...headers, traceparent: traceparent() }
    await read(post(app.url, request('tools/call', { name: 'session', arguments: {} }), fields))
    const [touch] = await spans('memory touch')
    expect(touch?.attributes).toEqual({
      'db.system.name': 'memory',
      'db.operation.name': 'touch',
    })
    const roots = collector.spans.filter(({ parentSpanId }) => parentSpanId === undefined)
    expect(roots.every(({ name }) => /^(?:GET|POST) \//.test(name))).toBe(true)
  })

  test('that a message names in `_meta` is that of its tool, and linked to the request', async () => {
    const { app, collector, spans } = await start()
    const session = await signedIn(app)
    const meta = { traceparent: traceparent(OTHER_TRACE) }
    const headers = await connect(app.url)
    const fields = { ...headers, traceparent: traceparent() }
    await read(post(app.url, request('tools/call', serviceCall(session, meta)), fields))
    const [tool, call] = await spans('tools/call service', 'GET /accounts/{id}')
    const carrier = collector.spans.find(
      ({ name, traceId }) => name === 'POST /mcp' && traceId === TRACE,
    )
    expect(tool).toMatchObject({ traceId: OTHER_TRACE, parentSpanId: PARENT })
    expect(tool?.links).toEqual([carrier?.spanId])
    expect(call).toMatchObject({ traceId: OTHER_TRACE, parentSpanId: tool?.spanId })
  })

  test('marks failures with their code', async () => {
    const { app, spans } = await start()
    await callWith(app.url, 'ses_nonsense', 'service')
    const [tool] = await spans('tools/call service')
    expect(tool).toMatchObject({
      isError: true,
      attributes: { 'error.type': 'session_not_found' },
    })
  })

  test('that is malformed is replaced by a new one', async () => {
    const { app, collector, spans } = await start()
    for (const bad of [
      'nonsense',
      `00-${'0'.repeat(32)}-${PARENT}-01`,
      `ff-${TRACE}-${PARENT}-01`,
    ]) {
      await fetch(`${app.url}/livez`, { headers: { traceparent: bad } })
    }
    await spans('GET /livez')
    const live = collector.spans.filter(({ name }) => name === 'GET /livez')
    expect(live.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, undefined, undefined])
  })
})

test('log lines of a traced call have the trace id', async () => {
  const { app, spans } = await start()
  const headers = { traceparent: traceparent() }
  const params = { name: 'session', arguments: {} }
  await read(postModern(app.url, 'tools/call', params, { headers }))
  await spans()
  const lines = app.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines.find(({ msg }) => msg === 'tool call')).toMatchObject({ traceId: TRACE })
  const posted = lines.find(({ msg, route }) => msg === 'request' && route === '/mcp')
  expect(posted).toMatchObject({ traceId: TRACE })
})

describe('the export', () => {
  test('contains no secret and no id', async () => {
    const traffic = recordTraffic()
    const { app, collector, spans } = await start()
    const session = await signedIn(app)
    await callWith(app.url, session, 'service')
    await callWith(app.url, session, 'logout')
    await fetch(`${app.url}/${session}?code=${session}`)
    await connect(app.url)
    await spans()
    traffic.stop()
    const sent = collector.bodies.join('')
    const secrets = [...traffic.secrets()]
    expect(secrets.length).toBeGreaterThan(10)
    for (const [secret, kind] of secrets) {
      const found = formsOf(secret).filter((form) => sent.includes(form))
      expect(found, kind).toEqual([])
    }
  })

  test("sends the collector's headers, and samples by ratio", async () => {
    const some = await start({
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20secret%2Cvalue, x-team = blue',
      OTEL_SERVICE_NAME: 'bank',
    })
    await fetch(`${some.app.url}/livez`)
    const [live] = await some.spans('GET /livez')
    expect(live?.service).toBe('bank')
    expect(some.collector.headers[0]).toMatchObject({ 'x-key': 'a secret,value', 'x-team': 'blue' })

    const none = await start({ OTEL_TRACES_SAMPLER_ARG: '0' })
    await fetch(`${none.app.url}/livez`)
    await fetch(`${none.app.url}/livez`, { headers: { traceparent: traceparent() } })
    await none.spans()
    // The caller's sampling decision is ignored: anybody can call.
    expect(none.collector.spans).toEqual([])
  })

  test('reports a failure once', async () => {
    const collector = await startCollector(400)
    closing.push(collector.close)
    const app = await startApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
    await fetch(`${app.url}/livez`)
    await app.stop()
    const reports = app.lines.filter((line) => line.includes('traces cannot be sent'))
    expect(reports).toHaveLength(1)
  })
})
