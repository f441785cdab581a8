/** Metrics of requests without a response. */

import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { listen } from '../../src/http/http-server.ts'
import { createRequestObserver } from '../../src/http/observe-requests.ts'
import { createRouteOf } from '../../src/http/request-target.ts'
import { parseScrape } from '../support/scrape.ts'
import { telemetry } from '../support/telemetry.ts'

test('a request whose client disconnects does not count as successful', async () => {
  const controller = new AbortController()
  const observe = createRequestObserver(telemetry, createRouteOf(['/slow'], []))
  const server = createServer((request, response) => {
    observe(request, response, () => controller.abort())
  })
  const port = await listen(server, '127.0.0.1', 0)
  const { signal } = controller
  await expect(fetch(`http://127.0.0.1:${port}/slow`, { signal })).rejects.toThrow('aborted')
  const counted = async (status: string) => {
    const { sum } = parseScrape((await telemetry.metrics.scrape()).text)
    return sum('mcp_http_request_duration_seconds_count', { route: '/slow', status })
  }
  await expect.poll(() => counted('4xx')).toBe(1)
  expect(await counted('2xx')).toBe(0)
  server.close()
})

test('routes are labelled by their pattern, others as unknown', () => {
  const routeOf = createRouteOf(
    ['/', '/mcp', '/connect/:handle', '/*'],
    ['/authorize', '/demo/idp'],
  )
  const routes = {
    '/': '/',
    '/mcp?x=1': '/mcp',
    '/connect/lnk_1': '/connect/:handle',
    '/connect/lnk_1/more': 'unknown',
    '/authorize?client_id=x': '/authorize',
    '/authorize/abc': '/authorize/*',
    '/demo/idp/token': '/demo/idp/*',
    '/authorized': 'unknown',
    '/%6dcp': '/mcp',
    '/%zz': 'unknown',
    '/ses_secret': 'unknown',
    '': 'unknown',
  }
  expect(Object.fromEntries(Object.keys(routes).map((url) => [url, routeOf(url)]))).toEqual(routes)
})
