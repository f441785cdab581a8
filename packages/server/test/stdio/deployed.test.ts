/** A process on stdio that shares the store of a deployed server: users sign in at that server. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { headingOf } from '../../src/testing/form-browser.ts'
import { errorCode, structured } from '../support/clients.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { freePort } from '../support/free-port.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { expectOnlyProtocol, STDIO_CALLERS } from './clients.ts'

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `stdio beside a deployed server, on Redis (${kind})`, () => {
    let redis: RedisServer
    let cluster: Cluster
    beforeAll(async () => {
      redis = await startRedis(kind)
      cluster = await startCluster(() => ({ REDIS_URL: redis.url }))
    })
    afterAll(async () => {
      await cluster?.stop()
      await redis?.stop()
    })

    test.each(Object.entries(STDIO_CALLERS))(
      'signing in there completes the session here: %s',
      async (_name, connect) => {
        const { url } = cluster.balancer
        const ownPort = await freePort()
        const own = { PUBLIC_URL: url, REDIS_URL: redis.url, MASK_MCP_PORT: String(ownPort) }
        const caller = await connect(own)
        await expect
          .poll(async () => errorCode(await caller.call('service')))
          .toBe('login_required')

        const link = structured<SignInLink>(await caller.call('login'))
        expect(link.url.startsWith(`${url}/connect/`)).toBe(true)
        expect(headingOf(await signInAs(newBrowser(), link, 'grace'))).toBe('Login successful')
        expect((await caller.call('service')).structuredContent).toMatchObject({
          owner: 'Grace Hopper',
          accountNumber: '******6199',
        })
        await expect(fetch(`http://127.0.0.1:${ownPort}/livez`)).rejects.toThrow('fetch failed')
        expect(structured(await caller.call('logout'))).toEqual({ ended: true })
        expect(errorCode(await caller.call('service'))).toBe('login_required')
        await caller.close()
        expectOnlyProtocol(caller.output.stdout)
      },
    )
  })
}
