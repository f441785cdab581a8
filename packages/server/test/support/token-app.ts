/** A server that accepts tokens of an external issuer. */

import { startApp, type TestApp, type TestAppOptions } from './app.ts'
import { type ExternalIssuer, startExternalIssuer, type TokenOptions } from './external-issuer.ts'

export interface TokenApp extends TestApp {
  readonly issuer: ExternalIssuer
  /** The header of a caller with a token for `/mcp`. */
  bearer(options?: TokenOptions): Promise<{ readonly authorization: string }>
}

export async function startTokenApp(options: TestAppOptions = {}): Promise<TokenApp> {
  const issuer = await startExternalIssuer()
  const env = { OAUTH_ISSUER: issuer.url, ...options.env }
  const app = await startApp({ ...options, env })
  return {
    ...app,
    issuer,
    bearer: async (tokenOptions) => withToken(await issuer.token(`${app.url}/mcp`, tokenOptions)),
    async stop() {
      await app.stop()
      await issuer.stop()
    },
  }
}

export function withToken(token: string) {
  return { authorization: `Bearer ${token}` }
}
