/** The identity provider that development uses when none is configured. Production refuses it. */

import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AdapterFactory, Provider } from 'oidc-provider'
import { deriveSecrets } from './derived-secrets.ts'
import { findPerson, type Person } from './people.ts'
import { providerConfiguration, SESSION_COOKIE } from './provider-configuration.ts'
import { handleInteraction, INTERACTION_PATH } from './sign-in.ts'

export interface DemoIdentityProviderOptions {
  /** Where it is mounted, path included: `http://localhost:6901/demo/idp`. */
  readonly issuer: string
  readonly redirectUris: readonly string[]
  /** All keys come from it; nodes with the same secret and the same store are one provider. */
  readonly secret: string
  /** Default 300. */
  readonly accessTokenTtlSeconds?: number | undefined
}

export interface DemoIdentityProviderDeps {
  readonly adapter: AdapterFactory
  /** Told of failures that are nobody's fault outside: the store is away, a bug. */
  onError(error: unknown): void
}

export interface DemoIdentityProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Answers every request whose path is the issuer's or below it. Never rejects. */
  handler(req: IncomingMessage, res: ServerResponse): Promise<void>
  /** Whose access token it is; undefined for one that is unknown, expired or revoked. */
  verifyToken(token: string): Promise<Person | undefined>
}

/** Creates the provider: code flow with PKCE and nonce, rotating refresh tokens, revocation. */
export function createDemoIdentityProvider(
  options: DemoIdentityProviderOptions,
  deps: DemoIdentityProviderDeps,
): DemoIdentityProvider {
  const clientId = 'mcp-template'
  const issuer = new URL(options.issuer)
  const path = issuer.pathname.replace(/\/$/, '')
  const secrets = deriveSecrets(options.secret)
  const provider = new Provider(
    options.issuer,
    providerConfiguration({
      path,
      clientId,
      redirectUris: options.redirectUris,
      accessTokenTtlSeconds: options.accessTokenTtlSeconds ?? 300,
      secrets,
      adapter: deps.adapter,
    }),
  )
  // The only forwarded header left is the one set below.
  provider.proxy = true
  provider.use(async (ctx, next) => {
    await next()
    dropSessionCookie(ctx.res)
  })
  // Without a listener of ours Koa writes to the console.
  const events: EventEmitter = provider
  events.on('error', deps.onError)
  provider.on('server_error', (_ctx, error) => deps.onError(error))
  const callback = provider.callback()

  async function handler(req: IncomingMessage, res: ServerResponse): Promise<void> {
    mount(req, issuer, path)
    try {
      const isInteraction = req.url?.startsWith(INTERACTION_PATH)
      await (isInteraction ? handleInteraction(provider, req, res) : callback(req, res))
    } catch (error) {
      deps.onError(error)
      if (res.headersSent) res.destroy()
      else res.writeHead(500, { 'cache-control': 'no-store' }).end()
    }
  }

  async function verifyToken(token: string): Promise<Person | undefined> {
    const found = await provider.AccessToken.find(token)
    return found && findPerson(found.accountId)
  }

  return {
    issuer: options.issuer,
    clientId,
    clientSecret: secrets.clientSecret,
    handler,
    verifyToken,
  }
}

/**
 * Makes the request look as the library wants it: the path below the mount point in `url`, the
 * whole one in `originalUrl`, and an origin that is ours and not the caller's to choose.
 */
function mount(req: IncomingMessage & { originalUrl?: string }, issuer: URL, path: string): void {
  const whole = req.url ?? '/'
  req.originalUrl = whole
  req.url = whole.slice(path.length).replace(/^(?!\/)/, '/')
  req.headers.host = issuer.host
  req.headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1)
  delete req.headers['x-forwarded-host']
  delete req.headers['x-forwarded-for']
  req.headers.cookie = (req.headers.cookie ?? '')
    .split('; ')
    .filter((cookie) => !cookie.startsWith(SESSION_COOKIE))
    .join('; ')
}

/** No browser session, in neither direction: each sign-in asks who is there. */
function dropSessionCookie(res: ServerResponse): void {
  const cookies = [res.getHeader('set-cookie') ?? []].flat().map(String)
  const kept = cookies.filter((cookie) => !cookie.startsWith(SESSION_COOKIE))
  if (kept.length > 0) res.setHeader('set-cookie', kept)
  else res.removeHeader('set-cookie')
}
