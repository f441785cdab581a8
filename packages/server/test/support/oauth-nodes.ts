/** Three nodes in this process, on one Redis, with the built-in authorization server. */

import { startApp, type TestApp } from './app.ts'
import { untilReady } from './cluster.ts'
import { freePort } from './free-port.ts'
import { createOAuthClient, type OAuthClient, type OAuthClientOptions } from './oauth-client.ts'
import type { RedisServer } from './redis.ts'
import { startSuiteRedis } from './redis-of-suite.ts'
import { CLUSTER_CATALOG } from './three-nodes.ts'

export interface OAuthNodes {
  /** The first node's URL, which is the PUBLIC_URL of all. */
  readonly url: string
  readonly urls: readonly [a: string, b: string, c: string]
  readonly nodes: readonly TestApp[]
  readonly redis: RedisServer
  /** A registered client that sends its POSTs to the nodes in turn. */
  client(options?: OAuthClientOptions): Promise<OAuthClient>
  /** The log of all nodes. */
  logs(): string
  stop(): Promise<void>
}

export async function startOAuthNodes(
  env: Readonly<Record<string, string>> = {},
  documentCa?: string,
  redis?: RedisServer,
): Promise<OAuthNodes> {
  return startNodesOn(redis ?? (await startSuiteRedis('plain')), env, documentCa)
}

async function startNodesOn(
  redis: RedisServer,
  env: Readonly<Record<string, string>>,
  documentCa: string | undefined,
): Promise<OAuthNodes> {
  const port = String(await freePort())
  const url = `http://localhost:${port}`
  // A busy machine is not a failing Redis.
  const patient = { STORE_TIMEOUT_MS: '10000' }
  const shared = { RATE_LIMIT: 'off', ...patient, REDIS_URL: redis.url, PUBLIC_URL: url, ...env }
  const start = (own: Readonly<Record<string, string>> = {}) =>
    startApp({
      env: { ...shared, ...own },
      catalogDirectory: CLUSTER_CATALOG,
      ...(documentCa !== undefined && { documentCa }),
    })
  const [a, b, c] = await Promise.all([start({ MASK_MCP_PORT: port }), start(), start()])
  const nodes = [a, b, c] as const
  const urls = [a.localUrl, b.localUrl, c.localUrl] as const
  await Promise.all(urls.map((each) => untilReady(Number(new URL(each).port))))
  return {
    url,
    urls,
    nodes,
    redis,
    logs: () => nodes.flatMap(({ lines }) => lines).join(''),
    client: (options) => createOAuthClient(url, { nodes: urls, ...options }),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      await redis.stop()
    },
  }
}
