/** `transports`: a disabled transport has no route and no metadata, and is not a resource of tokens. */

import { expect, test } from 'vitest'
import { createOAuthClient } from '../support/oauth-client.ts'
import { postModern, read } from '../support/wire.ts'
import { fetchText, pageOf, routeLabels, serve } from './served.ts'

const METADATA = '/.well-known/oauth-protected-resource'

test.each([
  [{ sse: false }, ['/sse', '/messages'], ['/http']],
  [{ direct: false }, ['/http'], ['/sse', '/messages']],
  [{ sse: false, direct: false }, ['/sse', '/messages', '/http'], []],
])('with %j', async (transports, off, on) => {
  const app = await serve({ transports })
  for (const path of off) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      const { status, headers } = await fetchText(app.url + path, { method })
      expect([path, method, status]).toEqual([path, method, 404])
      expect([headers.get('allow'), headers.get('www-authenticate')]).toEqual([null, null])
    }
    expect((await fetchText(app.url + METADATA + path)).status).toBe(404)
    const page = await pageOf(app)
    expect(page.text).not.toContain(app.url + path)
  }
  for (const path of on) {
    expect((await fetchText(app.url + path, { method: 'PUT' })).status).toBe(405)
    if (path !== '/messages') expect((await fetchText(app.url + METADATA + path)).status).toBe(200)
  }
  expect((await read(postModern(app.url, 'tools/list'))).status).toBe(200)
  const labels = await routeLabels(app)
  expect(labels.filter((label) => off.some((path) => label.endsWith(path)))).toEqual([])
  expect(labels).toContain('/mcp')
})

test('tokens cannot be issued for a disabled transport', async () => {
  const app = await serve({ transports: { direct: false } })
  const client = await createOAuthClient(app.url)
  const authorizeFor = (path: string) =>
    fetchText(client.request({ resource: app.url + path }).url.href)
  expect((await authorizeFor('/http')).headers.get('location')).toContain('error=invalid_target')
  expect((await authorizeFor('/sse')).headers.get('location')).not.toContain('error=')
})
