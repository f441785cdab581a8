/** Calls that arrive in one turn of the event loop: each stays in its own trace. */

import { once } from 'node:events'
import { connect as openSocket } from 'node:net'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { startCollector } from '../support/otlp-collector.ts'
import { envelope, request } from '../support/wire.ts'

const TRACES = ['1', '2', '3'].map((digit) => digit.repeat(32))

test('pipelined calls are in their own traces, and so are their audit lines', async () => {
  const collector = await startCollector()
  const app = await startApp({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
  const { hostname, port, host } = new URL(app.localUrl)
  const pipelined = TRACES.map((trace, at) => {
    const params = { name: 'session', arguments: {}, _meta: envelope() }
    const body = JSON.stringify(request('tools/call', params, at + 1))
    return [
      ...['POST /mcp HTTP/1.1', `Host: ${host}`, 'Content-Type: application/json'],
      ...['Accept: application/json, text/event-stream', 'Mcp-Protocol-Version: 2026-07-28'],
      ...['Mcp-Method: tools/call', 'Mcp-Name: session'],
      ...[`traceparent: 00-${trace}-00f067aa0ba902b7-01`, `Content-Length: ${body.length}`],
      ...['', body],
    ].join('\r\n')
  })
  const socket = openSocket(Number(port), hostname)
  await once(socket, 'connect')
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text
  })
  socket.write(pipelined.join(''))
  await expect.poll(() => received.match(/HTTP\/1\.1 200/g)?.length).toBe(TRACES.length)
  socket.destroy()
  await app.stop()
  await collector.close()

  const spans = collector.spans.filter(({ name }) => name === 'tools/call session')
  expect(spans.map(({ traceId }) => traceId).sort()).toEqual(TRACES)
  const audits = app.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'tool call')
  expect(audits.map(({ traceId }) => traceId).sort()).toEqual(TRACES)
})
