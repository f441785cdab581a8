/** Creates an instance of `oidc-provider` for one signing key. */

import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { ConfigError } from '../../config.ts'
import { AppError } from '../../errors.ts'
import { dropSessionCookie, type Mount } from '../../oidc/mount.ts'
import { identifyByAssertion } from './client-assertions.ts'
import { consentPath, type ProviderParts, providerConfiguration } from './configuration.ts'
import { droppedMembers } from './dropped-redirects.ts'
import { keepErrors } from './error-redirects.ts'
import { logEvents } from './events.ts'
import { clientMetadata, serverMetadata } from './metadata.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  USED_CLIENT_TTL_SECONDS,
} from './options.ts'
import { shareSuccessors } from './refresh-tokens.ts'
import { prepareRequests, type RequestRules } from './requests.ts'

/** Creates a provider; the caller shares the parts that do not depend on the key. */
export function createProvider(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  parts: ProviderParts,
  rules: RequestRules,
  mount: Mount,
): Provider {
  const provider = new Provider(options.publicUrl, providerConfiguration(options, deps, parts))
  // Safe: `enter` removes the caller's forwarded headers and sets its own.
  provider.proxy = true
  prepareRequests(provider, rules)
  identifyByAssertion(provider)
  shareSuccessors(provider)
  logEvents(provider, deps.log)
  const errorPages = { errorPage: deps.errorPage, pagesPath: consentPath(options) }
  provider.use(async (ctx, next) => {
    await next()
    dropSessionCookie(ctx.res, mount)
    await keepErrors(ctx as KoaContextWithOIDC, parts.authorizedClients, errorPages)
    await finish(ctx as KoaContextWithOIDC, options, deps)
  })
  return provider
}

/** Overrides the library's responses for metadata, JWKS and registration. */
async function finish(
  ctx: KoaContextWithOIDC,
  { scopes, refreshTokenTtl }: AuthorizationServerOptions,
  { signing, log, now }: AuthorizationServerDeps,
): Promise<void> {
  if (ctx.status === 503) ctx.set('retry-after', '1')
  if (ctx.status >= 300) return
  const body = ctx.body as Readonly<Record<string, unknown>>
  switch (ctx.path) {
    case '/jwks':
      ctx.body = await signing.published()
      return
    case '/.well-known/oauth-authorization-server':
      ctx.body = serverMetadata(body, scopes.supported)
      return
    case '/register': {
      const lifetime = Math.max(USED_CLIENT_TTL_SECONDS, refreshTokenTtl)
      const expiry = Math.floor(now() / 1000) + lifetime
      const secret = body.client_secret === undefined ? {} : { client_secret_expires_at: expiry }
      ctx.body = { ...clientMetadata({ ...body, ...secret }), ...droppedMembers(ctx, log) }
      return
    }
  }
}

/**
 * Validates the pre-registered clients at startup; the library would do so at their first use.
 * @throws ConfigError
 */
export async function checkPreRegistered(
  current: () => Promise<{ readonly provider: Provider }>,
  { clients }: AuthorizationServerOptions,
): Promise<void> {
  if (clients.length === 0) return
  const provider = await current().then(
    (made) => made.provider,
    (error: unknown) => {
      // An unavailable store does not prevent startup: readiness reports it.
      if (error instanceof AppError && error.code === 'unavailable') return undefined
      throw error
    },
  )
  if (provider === undefined) return
  const faults = []
  for (const { client_id } of clients) {
    try {
      await provider.Client.find(String(client_id))
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) throw error
      const reason = error.error_description ?? error.error
      faults.push({ name: 'OAUTH_CLIENTS', message: `client ${client_id}: ${reason}` })
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
}
