/** Three nodes in this process, on one Redis, that accept tokens of one external issuer. */

import { startApp, type TestApp } from './app.ts'
import { untilReady } from './cluster.ts'
import { type ExternalIssuer, startExternalIssuer, type TokenOptions } from './external-issuer.ts'
import { startSuiteRedis } from './redis-of-suite.ts'
import { CLUSTER_CATALOG } from './three-nodes.ts'
import { withToken } from './token-app.ts'

export interface TokenNodes {
  readonly issuer: ExternalIssuer
  readonly urls: readonly [a: string, b: string, c: string]
  readonly nodes: readonly TestApp[]
  /** The header of a caller with a token that is valid on all nodes. */
  bearer(options?: TokenOptions): Promise<{ readonly authorization: string }>
  stop(): Promise<void>
}

export async function startTokenNodes(): Promise<TokenNodes> {
  const redis = await startSuiteRedis('plain')
  const issuer = await startExternalIssuer()
  const PUBLIC_URL = 'http://localhost:6901'
  const patient = { STORE_TIMEOUT_MS: '10000' }
  const env = { OAUTH_ISSUER: issuer.url, ...patient, REDIS_URL: redis.url, PUBLIC_URL }
  const options = { env, catalogDirectory: CLUSTER_CATALOG }
  const nodes = await Promise.all([startApp(options), startApp(options), startApp(options)])
  const [a, b, c] = nodes
  await Promise.all(nodes.map(({ localUrl }) => untilReady(Number(new URL(localUrl).port))))
  return {
    issuer,
    nodes,
    urls: [a.localUrl, b.localUrl, c.localUrl],
    bearer: async (options) => withToken(await issuer.token(`${PUBLIC_URL}/mcp`, options)),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
      await issuer.stop()
      await redis.stop()
    },
  }
}
