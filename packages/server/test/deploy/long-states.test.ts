/** Long states of clients, which come back in `Location`, behind nginx as `deploy/` configures it. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { freePort } from '../support/free-port.ts'
import { type Nginx, nginxMissing, startNginx } from '../support/nginx.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { describeUnless } from '../support/suite-that-needs.ts'

describeUnless(nginxMissing, 'REQUIRE_NGINX', 'nginx in front of a server', () => {
  let app: TestApp
  let nginx: Nginx
  beforeAll(async () => {
    const port = await freePort()
    const env = { PUBLIC_URL: `http://localhost:${port}`, LOGIN: 'on-demand', RATE_LIMIT: 'off' }
    app = await startApp({ env })
    nginx = await startNginx(port, [Number(new URL(app.localUrl).port)])
  })
  afterAll(async () => {
    await nginx?.stop()
    await app?.stop()
  })

  test.each([2000, 6000])('a state of %i characters comes back', async (length) => {
    const client = await createOAuthClient(app.url)
    const state = 's'.repeat(length)
    const { answer } = await client.authorize({ state })
    expect(answer.get('state')).toBe(state)
  })
})
