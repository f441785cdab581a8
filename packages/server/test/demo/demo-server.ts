/** The demo as the server mounts it: identity provider and bank on one port, beside other paths. */

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { onTestFinished } from 'vitest'
import { createKeyRing } from '../../src/crypto/key-ring.ts'
import { createDemoBankApi } from '../../src/demo/bank-api.ts'
import {
  createDemoIdentityProvider,
  type DemoIdentityProvider,
} from '../../src/demo/demo-provider.ts'
import { Entries } from '../../src/oidc/entries.ts'
import { createStoreAdapter } from '../../src/oidc/store-adapter.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/port.ts'
import { createBrowser } from '../../src/testing/form-browser.ts'
import type { Credentials, SignInCheck } from '../../src/upstream/identity-provider.ts'
import { createOpenIdProvider } from '../../src/upstream/openid-client.ts'

export const REDIRECT_URI = 'http://localhost:6901/callback/demo'

export interface DemoOptions {
  readonly store?: Store
  /** The public URL, if it is not this node's own. */
  readonly origin?: string
  readonly accessTokenTtlSeconds?: number
  /** The permitted redirect URI. */
  readonly redirectUri?: string
}

/** Starts one node of the demo; closed after the test. */
export async function startDemo(options: DemoOptions = {}) {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const origin = options.origin ?? own
  const errors: unknown[] = []
  const idp = createDemoIdentityProvider(
    {
      issuer: `${origin}/demo/idp`,
      redirectUris: [options.redirectUri ?? REDIRECT_URI],
      secret: 'a secret that all nodes of the demo share',
      accessTokenTtlSeconds: options.accessTokenTtlSeconds,
    },
    {
      adapter: createStoreAdapter(
        new Entries(
          {
            store: options.store ?? createMemoryStore(),
            keyRing: createKeyRing([Buffer.alloc(32, 7)]),
            now: Date.now,
          },
          { prefix: 'demo', longestTtlSeconds: 3600 },
        ),
      ),
      onError: (error) => errors.push(error),
    },
  )
  const app = new Hono().route('/demo/api', createDemoBankApi(idp))
  // Global objects stay unchanged for other servers of this process.
  const hono = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  server.on('request', (req, res) => {
    const isIdp = /^\/demo\/idp(?=[/?]|$)/.test(req.url ?? '')
    void (isIdp ? idp.handler(req, res) : hono(req, res))
  })
  return { own, origin, idp, errors, provider: openIdProvider(idp), api: `${own}/demo/api` }
}

export type Demo = Awaited<ReturnType<typeof startDemo>>

/** Our client of the demo's provider, found by discovery. */
export function openIdProvider(idp: DemoIdentityProvider) {
  const { issuer, clientId, clientSecret } = idp
  const scopes = ['profile', 'email', 'offline_access']
  const options = { issuer, clientId, clientSecret, scopes, allowInsecureHttp: true }
  return createOpenIdProvider(options, { fetch, now: Date.now })
}

export function newCheck(): SignInCheck {
  const random = () => randomBytes(32).toString('base64url')
  return { state: random(), nonce: random(), codeVerifier: random() }
}

/** The callback URL the browser ends at after choosing a person, or cancelling. */
export async function callbackAfter(demo: Demo, check: SignInCheck, form: Record<string, string>) {
  const browser = createBrowser(REDIRECT_URI)
  const page = await browser.open(await demo.provider.authorizationUrl(REDIRECT_URI, check))
  const end = await browser.open(page.url, form)
  return end.url
}

/** Performs a complete sign-in. */
export async function signIn(demo: Demo, person = 'ada'): Promise<Credentials> {
  const check = newCheck()
  const url = await callbackAfter(demo, check, { person })
  return demo.provider.exchange(url, REDIRECT_URI, check)
}

/** Sends a request to the bank. */
export function bank(demo: Demo, path: string, token?: string): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return fetch(demo.api + path, { headers })
}
