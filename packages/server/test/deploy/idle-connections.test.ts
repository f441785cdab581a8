/** Idle keep-alive connections between a node and nginx with the configuration of `deploy/`. */

import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { type Nginx, nginxMissing, startNginx } from '../support/nginx.ts'
import { describeUnless } from '../support/suite-that-needs.ts'

/** Longer than the 5 s and a check for which Node keeps connections by default. */
const PAUSE_MS = 8000
const AT_ONCE = 20

describeUnless(nginxMissing, 'REQUIRE_NGINX', 'idle connections behind nginx', () => {
  let app: TestApp
  let nginx: Nginx
  beforeAll(async () => {
    const port = await freePort()
    app = await startApp({ env: { PUBLIC_URL: `http://localhost:${port}` } })
    nginx = await startNginx(port, [nodePort()])
  })
  afterAll(async () => {
    await nginx?.stop()
    await app?.stop()
  })

  const nodePort = () => Number(new URL(app.localUrl).port)

  async function statuses(requests: number): Promise<number[]> {
    const all = Array.from({ length: requests }, async () => {
      const response = await fetch(`${nginx.url}/mcp`, { method: 'POST' })
      await response.text()
      return response.status
    })
    return Promise.all(all)
  }

  test('are usable after a pause, without 502', async () => {
    expect(new Set(await statuses(AT_ONCE))).toEqual(new Set([415]))
    const before = connectionsTo(nodePort())
    expect(before.size).toBeGreaterThan(0)
    await delay(PAUSE_MS)
    expect(new Set(await statuses(AT_ONCE))).toEqual(new Set([415]))
    const after = connectionsTo(nodePort())
    expect([...before].filter((port) => after.has(port))).toEqual([...before])
  })
})

/** The local ports of established connections to a port of this machine (proc(5), /proc/net/tcp). */
function connectionsTo(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
  const fields = rows.map((row) => row.trim().split(/\s+/))
  const established = fields.filter(
    ([, , remote, state]) => remote?.endsWith(suffix) && state === '01',
  )
  return new Set(established.map(([, local = '']) => local))
}
