/** `npm run doctor`: several nodes behind one address, with shared or separate state. */

import { afterAll, describe, expect, test } from 'vitest'
import { startBalancer } from '../../../../scripts/cluster/balancer.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startApp } from '../support/app.ts'
import { examineServer, withVerdict } from '../support/doctor.ts'
import { freePort } from '../support/free-port.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { type ThreeNodes, useThreeNodes } from '../support/three-nodes.ts'

const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  await Promise.all(closing.map((close) => close()))
})

type Variables = Readonly<Record<string, string>>

interface SeparateNodes {
  /** Variables of the second node only. */
  readonly env?: Variables
  readonly shareStore: boolean
}

/** Two nodes without shared state, behind one balancer. */
async function startSeparateNodes({ env = {}, shareStore }: SeparateNodes): Promise<string> {
  const ports = [await freePort(), await freePort()]
  const balancer = await startBalancer({ nodes: ports })
  const shared = createMemoryStore()
  const nodes = await Promise.all(
    ports.map((port, index) =>
      startApp({
        env: {
          ...{ PUBLIC_URL: balancer.url, MASK_MCP_PORT: String(port), RATE_LIMIT: 'off' },
          ...(index === 1 && env),
        },
        ...(shareStore && { store: shared }),
      }),
    ),
  )
  closing.push(async () => {
    await balancer.close()
    await Promise.all(nodes.map((node) => node.stop()))
  })
  return balancer.url
}

async function faultsOf(separate: SeparateNodes): Promise<string> {
  return withVerdict(await examineServer(await startSeparateNodes(separate)), 'wrong').join('\n')
}

describe.concurrent('separate nodes are reported', { timeout: 240_000 }, () => {
  test('because each has its own memory store', async () => {
    const faults = await faultsOf({ shareStore: false })
    expect(faults).toMatch(/nodes-agree: A client that registered is unknown to some.*REDIS_URL/)
    expect(faults).toMatch(/hopping: 24 requests of one session.* 404 \(\d+\).*REDIS_URL/)
  })

  test('because their ENCRYPTION_KEY differs', async () => {
    const env = { ENCRYPTION_KEY: 'ab'.repeat(32) }
    const faults = await faultsOf({ shareStore: true, env })
    expect(faults).toMatch(/nodes-agree: .* 410 \(\d+\).*the same ENCRYPTION_KEY/)
  })

  test('because their JWT_SECRET differs', async () => {
    const env = { JWT_SECRET: 'another secret, which is long enough' }
    const faults = await faultsOf({ shareStore: true, env })
    expect(faults).toMatch(/hopping: The token is valid for some requests only: .*JWT_SECRET/)
  })

  test('because their PUBLIC_URL differs', async () => {
    const env = { PUBLIC_URL: 'https://old.example.com' }
    const faults = await faultsOf({ shareStore: true, env })
    expect(faults).toMatch(/Set PUBLIC_URL=http:\/\/localhost:\d+ on every node/)
  })
})

describeRedis('plain', 'three nodes on one Redis', () => {
  let nodes: ThreeNodes
  useThreeNodes(
    (started) => {
      nodes = started
    },
    { env: () => ({ TRUSTED_PROXIES: '1' }) },
  )

  test('are one server, without faults', async () => {
    const diagnoses = await examineServer(nodes.url, '--hold', '17')
    expect(withVerdict(diagnoses, 'wrong', 'warning')).toEqual([])
    const said = withVerdict(diagnoses, 'ok').join('\n')
    expect(said).toContain('hopping: 24 requests of one session')
    expect(said).toContain('refreshing: 6 concurrent refreshes all return a valid token')
    expect(said).toContain('A second after its revocation the token is refused by all nodes')
    expect(said.match(/streams: .* open for 17 s, never idle for more than \d+ s/g)).toHaveLength(3)
    for (const served of nodes.balancer.served) expect(served).toBeGreaterThan(20)
  }, 240_000)
})
