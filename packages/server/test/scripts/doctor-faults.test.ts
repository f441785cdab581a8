/** `npm run doctor`: detects common misconfigurations, and names the fix. */

import { afterAll, describe, expect, test } from 'vitest'
import { type HandOver, passOn, startBalancer } from '../../../../scripts/cluster/balancer.ts'
import { toolFile, writeCatalog } from '../engine/catalog.ts'
import { startApp } from '../support/app.ts'
import { examineServer, withVerdict } from '../support/doctor.ts'
import {
  addsOrigins,
  buffers,
  compresses,
  cutsAfter,
  fillsBlocks,
  removesAuthorization,
  removesChallenges,
  sendsHost,
  servesBelow,
} from '../support/faulty-proxies.ts'
import { freePort } from '../support/free-port.ts'

const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  await Promise.all(closing.map((close) => close()))
})

/** A correctly configured server behind a proxy. */
async function startBehind(
  handOver: HandOver,
  env: Readonly<Record<string, string>> = {},
  catalog: { readonly catalogDirectory?: string } = {},
) {
  const port = await freePort()
  const proxy = await startBalancer({ nodes: [port], handOver })
  const usual = { PUBLIC_URL: proxy.url, MASK_MCP_PORT: String(port), RATE_LIMIT: 'off' }
  const app = await startApp({ env: { ...usual, ...env }, ...catalog })
  closing.push(async () => {
    await proxy.close()
    await app.stop()
  })
  return proxy.url
}

/** The reported faults as text. */
async function faultsAt(url: string, ...args: string[]): Promise<string> {
  return withVerdict(await examineServer(url, ...args), 'wrong').join('\n')
}

describe.concurrent('names', { timeout: 240_000 }, () => {
  test('nothing, if the proxy works correctly', async () => {
    expect(await faultsAt(await startBehind(passOn))).toBe('')
  })

  test('a PUBLIC_URL with another host', async () => {
    const url = await startBehind(passOn, { PUBLIC_URL: 'https://mcp.example.com' })
    const faults = await faultsAt(url)
    expect(faults).toContain(`names https://mcp.example.com/mcp, and not ${url}/mcp`)
    expect(faults).toContain('server-metadata: The issuer is https://mcp.example.com')
    expect(faults).toContain(`Set PUBLIC_URL=${url} on every node`)
  })

  test('a proxy that buffers responses', async () => {
    const faults = await faultsAt(await startBehind(buffers))
    expect(faults).toMatch(/streams: A stream does not open .*proxy_buffering off/)
  })

  test('a proxy that withholds the ends of large events', async () => {
    // A list of tools that does not fit one block.
    const tool = toolFile({ description: `'${'x'.repeat(5000)}'` })
    const catalogDirectory = writeCatalog({ 'tools/greet.ts': tool })
    const faults = await faultsAt(await startBehind(fillsBlocks, {}, { catalogDirectory }))
    expect(faults).toMatch(
      /streams: GET \/sse .* large response arrives incomplete.*proxy_buffering/,
    )
  })

  test('a proxy that cuts streams', async () => {
    const faults = await faultsAt(await startBehind(cutsAfter(1500)), '--hold', '4')
    expect(faults).toMatch(/streams: GET \/mcp .*cut off after [1-3] s\..*proxy_read_timeout 1h/)
    expect(faults).toMatch(/streams: subscriptions\/listen .*cut off after [1-3] s\./)
    expect(faults).toMatch(/streams: GET \/sse .*cut off after [1-3] s\./)
  })

  test('a proxy that compresses events', async () => {
    const faults = await faultsAt(await startBehind(compresses))
    expect(faults).toMatch(/streams: GET \/sse .*is compressed \(gzip\).*gzip off/)
  })

  test('a proxy that removes Authorization', async () => {
    const faults = await faultsAt(await startBehind(removesAuthorization))
    expect(faults).toMatch(/challenge: The Authorization header does not reach.*proxy_set_header/)
  })

  test('a proxy that removes WWW-Authenticate', async () => {
    const url = await startBehind(removesChallenges, { MCP_AUTH: 'required' })
    const faults = await faultsAt(url)
    expect(faults).toMatch(
      /challenge: \/mcp answers 401 without WWW-Authenticate.*proxy_hide_header/,
    )
    expect(faults).toMatch(/challenge: \/http answers 401 without/)
  })

  test('a proxy that adds an allowed origin of its own', async () => {
    const faults = await faultsAt(await startBehind(addsOrigins))
    expect(faults).toMatch(/cors: \/token names the allowed origin twice .*add_header/)
  })

  test('a proxy that sends an unknown host name', async () => {
    const faults = await faultsAt(await startBehind(sendsHost('node.internal')))
    expect(faults).toMatch(/reach: .*does not serve.*\(421\).*proxy_set_header Host \$http_host/)
  })

  test('a proxy that hides other names from the server', async () => {
    const diagnoses = await examineServer(await startBehind(sendsHost('127.0.0.1')))
    expect(withVerdict(diagnoses, 'wrong')).toEqual([])
    const [warning] = withVerdict(diagnoses, 'warning')
    expect(warning).toMatch(/hosts: A forged Host is served.*server_name/)
  })

  test('a server below a path', async () => {
    const faults = await faultsAt(`${await startBehind(servesBelow('/tools'))}/tools`)
    expect(faults).toMatch(/resources: .* answers 404.*host name of its own instead of the path/)
  })

  test('a path that the proxy does not strip', async () => {
    const url = await startBehind(passOn)
    const faults = await faultsAt(`${url}/tools`)
    expect(faults).toMatch(/reach: There is no MCP server at .*\/tools\/mcp/)
    expect(faults).toContain(`There is one at ${url}: use that address.`)
  })

  test('a node that is down', async () => {
    const proxy = await startBalancer({ nodes: [await freePort()] })
    closing.push(proxy.close)
    expect(await faultsAt(proxy.url)).toMatch(/reach: The proxy answers, but no node.*\/readyz/)
  })
})
