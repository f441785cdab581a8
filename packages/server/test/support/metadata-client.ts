/** A client identified by its metadata document, and a server that trusts the document's host. */

import { Hono } from 'hono'
import { onTestFinished } from 'vitest'
import { createDocumentFetch } from '../../src/auth/document-fetch.ts'
import { redirectUriFault } from '../../src/auth/redirect-uris.ts'
import { createAuthorizationServer } from '../../src/auth/server/authorization-server.ts'
import { createSecretSigning } from '../../src/auth/server/signing.ts'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import type { HttpEnv } from '../../src/http/http-env.ts'
import { createHttpServer, type HttpHandlers, listen } from '../../src/http/http-server.ts'
import { authorizationErrorPage, authorizationMounts } from '../../src/http/oauth/oauth-routes.ts'
import { requestLog } from '../../src/http/observe-requests.ts'
import { consentRoutes } from '../../src/http/pages/consent.ts'
import { createPageTheme } from '../../src/http/pages/page-theme.ts'
import { pagesOf } from '../../src/http/pages/pages.ts'
import { createRouteTable, OAUTH_ROUTES } from '../../src/http/routes.ts'
import { createLogger } from '../../src/logger.ts'
import { Authorizations } from '../../src/session/authorizations.ts'
import { createAuthorizedClients } from '../../src/session/authorized-clients.ts'
import { createBlocks } from '../../src/session/blocks.ts'
import { NO_KEPT_SIGN_INS } from '../../src/session/kept-sign-ins.ts'
import { SessionManager } from '../../src/session/manager.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startHttpsServer } from './https-server.ts'
import { createOAuthClient } from './oauth-client.ts'

/** Only the endpoints and the consent page, trusting the test's certificate. */
async function startEndpoints(ca: string): Promise<string> {
  let handlers: HttpHandlers | undefined
  const { server, drain } = createHttpServer(() => handlers)
  const publicUrl = `http://localhost:${await listen(server, '127.0.0.1', 0)}`
  const log = createLogger({
    level: 'trace',
    name: 'test',
    version: '1',
    destination: { write: () => undefined },
  })
  const store = createMemoryStore()
  const now = Date.now
  const theme = createPageTheme({ name: 'test', publicUrl, color: '#1f4fbf' })
  const sessions = new SessionManager({ store, now }, { ttlSeconds: 3600 })
  const authorization = await createAuthorizationServer(
    {
      ...{ kind: 'built-in', algorithm: 'HS256', login: 'on-demand', redirectSchemes: [] },
      ...{ codeTtl: 60, accessTokenTtl: 60, refreshTokenTtl: 600, refreshGrace: 60 },
      ...{ publicUrl, clients: [], scopes: { supported: ['mcp'], challenged: ['mcp'] } },
    },
    {
      ...{ store, sessions, signOut: (id: string) => sessions.end(id), log, now },
      errorPage: authorizationErrorPage(theme),
      authorizations: new Authorizations(
        { store, sessions, now },
        { ttlSeconds: 660, personalTtlSeconds: 1 },
      ),
      blocks: createBlocks({ store, monotonicNow: () => performance.now() }),
      isSignedIn: async () => false,
      settleSignIn: async (sessionId) => sessionId,
      keptSignIns: NO_KEPT_SIGN_INS,
      keyRing: createKeyRing([Buffer.alloc(32, 7)]),
      signing: createSecretSigning('a secret of thirty-two characters'),
      redirectUriFault: (uri) => redirectUriFault(uri, []),
      documents: createDocumentFetch({ store, now }, { allowLoopback: true, ca }),
      fetch,
    },
  )
  const pages = new Hono<HttpEnv>()
  pages.use(requestLog(log, createRouteTable(OAUTH_ROUTES)), pagesOf(theme))
  const { consents } = authorization
  const nobody = { begin: () => Promise.reject(new Error('Nobody signs in here')) }
  const options = { publicUrl, signsInAt: 'idp.example', browserTtlSeconds: 600 }
  const authorizedClients = createAuthorizedClients({ store, sessions }, { ttlSeconds: 600 })
  pages.route(
    '/',
    consentRoutes({ consents, sessions, signIn: nobody, authorizedClients, now }, options),
  )
  const mounts = authorizationMounts(authorization, { log, limit: (handler) => handler })
  handlers = { guard: () => undefined, fetch: pages.fetch, mounts }
  onTestFinished(() => drain(1000))
  return publicUrl
}

/** The document's host, and a client of a server that may fetch it; closed after the test. */
export async function startMetadataClient(document: (clientId: string) => object) {
  const host = await startHttpsServer((res, { url }) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify(document(`${host.origin}${url}`)))
  })
  onTestFinished(() => host.close())
  const url = await startEndpoints(host.ca)
  const known = { client_id: `${host.origin}/client.json` }
  return { host, url, client: await createOAuthClient(url, { known }) }
}
