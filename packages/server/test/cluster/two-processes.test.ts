/** Two processes on one Redis: clients use both in turn, also during a rolling update. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { headingOf } from '../../src/testing/form-browser.ts'
import { CALLERS } from '../support/callers.ts'
import { errorCode, structured } from '../support/clients.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import type { Exchange } from '../support/recording-balancer.ts'
import type { RedisServer } from '../support/redis.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'

const MASKED = {
  owner: 'Ada Lovelace',
  accountNumber: '****5555',
  iban: 'GB33****************55',
}

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `two processes on Redis (${kind})`, () => {
    let redis: RedisServer
    let cluster: Cluster
    beforeAll(async () => {
      redis = await startSuiteRedis(kind)
      cluster = await startCluster(() => ({ REDIS_URL: redis.url }))
    })
    afterAll(async () => {
      await cluster?.stop()
      await redis?.stop()
    })

    test.each(Object.entries(CALLERS))('serve the %s', async (_name, connect) => {
      const { balancer } = cluster
      const before = balancer.exchanges.length
      const since = () => balancer.exchanges.slice(before)
      const caller = await connect(balancer.url)
      const service = () => caller.call('service')

      expect(errorCode(await service())).toBe('login_required')
      const link = structured<SignInLink>(await caller.call('login'))
      expect(headingOf(await signInAs(newBrowser(), link, 'ada'))).toBe('Login successful')
      expect(nodesOf(since(), 'POST', '/connect/')).not.toEqual(
        nodesOf(since(), 'GET', '/callback'),
      )
      for (const result of [await service(), await service()]) {
        expect(result.structuredContent).toMatchObject(MASKED)
      }
      await cluster.restart()
      for (const result of [await service(), await service()]) {
        expect(result.structuredContent).toMatchObject(MASKED)
      }
      expect(structured(await caller.call('logout'))).toEqual({ ended: true })
      for (const result of [await service(), await service()]) {
        expect(['login_required', 'session_not_found']).toContain(errorCode(result))
      }
      await caller.close()

      const turns = since().filter(({ path }) => path === '/mcp')
      expect(turns.every(({ node }, index) => node !== turns[index + 1]?.node)).toBe(true)
      // Whichever node served `initialize`, each ran about half of the nine calls.
      const calls = since().filter(({ body }) => body.includes('"tools/call"'))
      expect(calls).toHaveLength(9)
      expect(calls.every(({ answer }) => answer.status === 200)).toBe(true)
      const perNode = [0, 1].map((node) => calls.filter((call) => call.node === node).length)
      expect(Math.min(...perNode)).toBeGreaterThanOrEqual(4)
    })
  })
}

function nodesOf(exchanges: readonly Exchange[], method: string, path: string): number[] {
  return exchanges
    .filter((exchange) => exchange.method === method && exchange.path.startsWith(path))
    .map(({ node }) => node)
}
