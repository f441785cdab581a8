/** Parallel refreshes of upstream credentials on two processes: one request to the provider. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { CALLERS, type Caller } from '../support/callers.ts'
import { structured } from '../support/clients.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import type { Exchange, Interference } from '../support/recording-balancer.ts'
import type { RedisServer } from '../support/redis.ts'
import { startSuiteRedis } from '../support/redis-of-suite.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'

const CALLS = 20

for (const kind of ['plain', 'json'] as const) {
  describeRedis(kind, `two processes on Redis (${kind}) refresh once`, () => {
    let redis: RedisServer
    let cluster: Cluster
    /** The servers reach provider and API through the balancer too, where a test can interfere. */
    let interfere: Interference = {}
    let caller: Caller | undefined
    beforeAll(async () => {
      redis = await startSuiteRedis(kind)
      cluster = await startCluster(() => ({ REDIS_URL: redis.url }), {
        intercept: (exchange) => interfere.intercept?.(exchange),
        rewrite: (exchange) => interfere.rewrite?.(exchange),
      })
    })
    afterEach(async () => {
      interfere = {}
      await caller?.close()
    })
    afterAll(async () => {
      await cluster?.stop()
      await redis?.stop()
    })

    test.each(Object.entries(CALLERS))('an expired token: %s', async (_name, connect) => {
      interfere = { rewrite: shortLived }
      caller = await connect(cluster.balancer.url)
      const refreshes = await callInParallel(caller, cluster)
      expect(refreshes).toBe(1)
    })

    test('a token that the API refuses', async () => {
      let spent: string | undefined
      interfere = {
        intercept({ path, headers }) {
          if (!path.startsWith('/demo/api/')) return undefined
          spent ??= headers.authorization
          return headers.authorization === spent ? { status: 401 } : undefined
        },
      }
      caller = await CALLERS['v2 client, 2026-07-28']?.(cluster.balancer.url)
      const refreshes = await callInParallel(caller, cluster)
      expect(spent).toMatch(/^Bearer ./)
      expect(refreshes).toBe(1)
    })
  })
}

/** Signs in, calls concurrently on both nodes, and returns the number of requests to the provider. */
async function callInParallel(caller: Caller | undefined, { balancer }: Cluster): Promise<number> {
  if (caller === undefined) throw new Error('no client')
  await signInAs(newBrowser(), structured<SignInLink>(await caller.call('login')), 'ada')
  const before = balancer.exchanges.length
  const results = await Promise.all(Array.from({ length: CALLS }, () => caller.call('service')))
  for (const { structuredContent } of results) {
    expect(structuredContent).toMatchObject({ owner: 'Ada Lovelace' })
  }
  const since = balancer.exchanges.slice(before)
  const perNode = [0, 1].map((node) => since.filter((call) => isCallOn(node, call)).length)
  expect(perNode).toEqual([CALLS / 2, CALLS / 2])
  return since.filter(isRefresh).length
}

function isCallOn(node: number, exchange: Exchange): boolean {
  return exchange.node === node && exchange.body.includes('"tools/call"')
}

function isRefresh({ path, body }: Exchange): boolean {
  return path === '/demo/idp/token' && body.includes('grant_type=refresh_token')
}

/** The first token expires after a second; the refreshed one has the usual lifetime. */
function shortLived({ path, body, answer }: Exchange): string | undefined {
  if (path !== '/demo/idp/token' || !body.includes('grant_type=authorization_code'))
    return undefined
  return JSON.stringify({ ...JSON.parse(answer.body), expires_in: 1 })
}
