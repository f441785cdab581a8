/** The identity provider for development when none is configured. Production refuses it. */

import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AdapterFactory, Provider } from 'oidc-provider'
import { dropSessionCookie, enter, type Mount } from '../oidc/mount.ts'
import { handleInteraction, INTERACTION_PATH } from './demo-sign-in.ts'
import { type DerivedSecrets, deriveSecrets } from './derived-secrets.ts'
import { findPerson, type Person } from './people.ts'
import { providerConfiguration, SESSION_COOKIE } from './provider-configuration.ts'

export interface DemoIdentityProviderOptions {
  /** The full URL of the provider, such as `http://localhost:6901/demo/idp`. */
  readonly issuer: string
  /** The base path of the whole server; none by default. */
  readonly basePath?: string
  readonly redirectUris: readonly string[]
  /**
   * The secret from which all keys are derived; nodes with the same secret and store form one
   * provider.
   */
  readonly secret: string
  /** Default 300. */
  readonly accessTokenTtlSeconds?: number | undefined
}

export interface DemoIdentityProviderDeps {
  readonly adapter: AdapterFactory
  /** Called for internal failures: the store is unavailable, or a bug. */
  onError(error: unknown): void
}

const CLIENT_ID = 'demo'

export type DemoIdentityProvider = ReturnType<typeof createDemoIdentityProvider>

/** Creates the provider: code flow with PKCE and nonce, rotating refresh tokens, revocation. */
export function createDemoIdentityProvider(
  options: DemoIdentityProviderOptions,
  deps: DemoIdentityProviderDeps,
) {
  const { basePath = '' } = options
  const mount = { issuer: new URL(options.issuer), basePath, sessionCookie: SESSION_COOKIE }
  const secrets = deriveSecrets(options.secret)
  const provider = createProvider(options, deps, secrets, mount)
  const callback = provider.callback()

  /** Handles every request at the issuer's path or below it. Never rejects. */
  async function handler(req: IncomingMessage, res: ServerResponse): Promise<void> {
    enter(req, mount)
    try {
      const isInteraction = req.url?.startsWith(INTERACTION_PATH)
      await (isInteraction ? handleInteraction(provider, req, res) : callback(req, res))
    } catch (error) {
      deps.onError(error)
      if (res.headersSent) res.destroy()
      else res.writeHead(500, { 'cache-control': 'no-store' }).end()
    }
  }

  /** The owner of an access token; undefined if the token is unknown, expired or revoked. */
  async function verifyToken(token: string): Promise<Person | undefined> {
    const found = await provider.AccessToken.find(token)
    return found && findPerson(found.accountId)
  }

  return {
    issuer: options.issuer,
    clientId: CLIENT_ID,
    clientSecret: secrets.clientSecret,
    handler,
    verifyToken,
  }
}

/** The library's provider, which reports its errors to `onError`. */
function createProvider(
  { issuer, redirectUris, accessTokenTtlSeconds = 300 }: DemoIdentityProviderOptions,
  { adapter, onError }: DemoIdentityProviderDeps,
  secrets: DerivedSecrets,
  mount: Mount,
): Provider {
  const path = mount.issuer.pathname.replace(/\/$/, '')
  const provider = new Provider(
    issuer,
    providerConfiguration({
      ...{ path, clientId: CLIENT_ID, redirectUris, accessTokenTtlSeconds, secrets, adapter },
    }),
  )
  // Safe: the only forwarded header left is the one that `enter` sets.
  provider.proxy = true
  provider.use(async (ctx, next) => {
    await next()
    dropSessionCookie(ctx.res, mount)
  })
  // Without this listener Koa writes errors to the console.
  const events: EventEmitter = provider
  events.on('error', onError)
  provider.on('server_error', (_ctx, error) => onError(error))
  return provider
}
