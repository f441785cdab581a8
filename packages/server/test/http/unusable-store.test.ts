/**
 * A Redis that responds but cannot serve requests: every endpoint is 503, and readiness has the
 * reason.
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { MISCONFIGURATIONS, type Misconfigured } from '../store/redis-misconfigurations.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { register } from '../support/oauth-client.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { INITIALIZE, post, postModern, read, request } from '../support/wire.ts'

const KINDS = [
  'no scripts',
  'a sentinel',
  'a user who may not write',
  'a node of a cluster',
] as const

for (const kind of KINDS) {
  describeRedis('plain', `on ${kind}`, () => {
    let redis: Misconfigured | undefined
    let app: TestApp
    beforeAll(async () => {
      redis = await MISCONFIGURATIONS[kind]?.open()
      app = await startApp({ env: { REDIS_URL: redis?.url ?? '' } })
    })
    afterAll(async () => {
      await app?.stop()
      await redis?.stop()
    })

    test('readiness has the reason, and the process is live', async () => {
      const message = async () => (await read(fetch(`${app.url}/readyz`))).message.error?.message
      await expect.poll(message).toMatch(MISCONFIGURATIONS[kind]?.message ?? /^$/)
      const readiness = await read(fetch(`${app.url}/readyz`))
      expect([readiness.status, readiness.headers.get('retry-after')]).toEqual([503, '1'])
      expect(readiness.text).not.toMatch(/127\.0\.0\.1|secret/)
      expect((await fetch(`${app.url}/livez`)).status).toBe(200)
    })

    test('repeated probes do not fill the log', async () => {
      await fetch(`${app.url}/readyz`)
      const before = app.lines.filter((line) => /"level":"(warn|error)"/.test(line)).length
      for (let round = 0; round < 50; round += 1) await fetch(`${app.url}/readyz`)
      const after = app.lines.filter((line) => /"level":"(warn|error)"/.test(line)).length
      expect(after - before).toBeLessThan(2)
    })

    test('nothing answers with 500, 401 or 404', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const send = (path: string, body: string) =>
        fetch(app.url + path, { method: 'POST', headers: form, body })
      const session = { 'mcp-session-id': `con_${'x'.repeat(43)}` }
      const statuses: Record<string, number> = {
        initialize: (await read(post(app.url, INITIALIZE))).status,
        'tools/list': (await read(post(app.url, request('tools/list'), session))).status,
        DELETE: (await fetch(`${app.url}/mcp`, { method: 'DELETE', headers: session })).status,
        login: (await read(postModern(app.url, 'tools/call', { name: 'login' }))).status,
        '/connect': (await createBrowser().open(`${app.url}/connect/lnk_x`)).status,
        '/callback': (await createBrowser().open(`${app.url}/callback?state=x&code=y`)).status,
        '/register': (await register(app.url)).status,
        '/token': (await send('/token', 'grant_type=refresh_token&refresh_token=x&client_id=x'))
          .status,
        '/authorize': (await createBrowser().open(`${app.url}/authorize?client_id=x`)).status,
      }
      if (kind === 'a node of a cluster') {
        // Some keys are on this node.
        for (const [name, status] of Object.entries(statuses))
          expect([name, status]).not.toContain(500)
        return
      }
      const readsAreServed = kind === 'a user who may not write' || kind === 'no scripts'
      for (const [name, status] of Object.entries(statuses)) {
        if (readsAreServed) expect([name, status]).not.toContain(500)
        else expect([name, status]).toEqual([name, 503])
      }
      expect(statuses.initialize).toBe(503)
      expect(statuses['/register']).toBe(503)
    })
  })
}
