/**
 * Creates an instance of `oidc-provider` for one signing key, and reduces its responses to OAuth.
 */

import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { ConfigError } from '../../config.ts'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { dropSessionCookie, type Mount } from '../../oidc/mount.ts'
import { shareSuccessors } from './adapter.ts'
import { ASSERTION_ALGORITHMS, identifyByAssertion } from './client-assertions.ts'
import type { DroppedRedirectUri } from './clients.ts'
import { consentPath, type ProviderParts, providerConfiguration } from './configuration.ts'
import { keepErrors } from './error-redirects.ts'
import { logEvents } from './events.ts'
import { ID_JAG_PROFILE, type VerifyAssertion } from './id-jag.ts'
import { registerMachineGrants } from './machine-grants.ts'
import {
  type AuthorizationServerDeps,
  type AuthorizationServerOptions,
  USED_CLIENT_TTL_SECONDS,
} from './options.ts'
import { resourceServersOf } from './provider-features.ts'
import { prepareRequests, type RequestRules } from './requests.ts'

/** Creates a provider; the caller shares the parts that do not depend on the key. */
export function createProvider(
  options: AuthorizationServerOptions,
  deps: AuthorizationServerDeps,
  parts: ProviderParts & { readonly verifyAssertion: VerifyAssertion | undefined },
  rules: RequestRules,
  mount: Mount,
): Provider {
  const provider = new Provider(options.publicUrl, providerConfiguration(options, deps, parts))
  const { resources, scopes, verifyAssertion } = parts
  registerMachineGrants(provider, options, deps, {
    resources,
    scopes,
    resourceServer: resourceServersOf(options, deps, parts),
    verifyAssertion,
  })
  // Safe: `enter` removes the caller's forwarded headers and sets its own.
  provider.proxy = true
  prepareRequests(provider, rules)
  identifyByAssertion(provider)
  shareSuccessors(provider)
  logEvents(provider, deps.log, options.auditSubject)
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
  { scopes, refreshTokenTtl, idJagIssuers }: AuthorizationServerOptions,
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
      ctx.body = {
        ...serverMetadata(body, scopes.supported),
        ...(idJagIssuers && { authorization_grant_profiles_supported: [ID_JAG_PROFILE] }),
      }
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

const drops = new WeakMap<KoaContextWithOIDC, readonly DroppedRedirectUri[]>()

/** Stores the dropped URIs until the response of the current request. */
export function rememberDropped(dropped: readonly DroppedRedirectUri[]): void {
  const { ctx } = Provider
  if (ctx !== undefined) drops.set(ctx, dropped)
}

/**
 * Members that explain in the registration response why redirect URIs are missing. RFC 7591,
 * section 3.2.1, permits additional members.
 */
function droppedMembers(ctx: KoaContextWithOIDC, log: Logger): Record<string, unknown> {
  const dropped = drops.get(ctx)
  if (dropped === undefined) return {}
  log.info({ client: ctx.oidc.client?.clientId, dropped }, 'redirect URIs dropped')
  return { redirect_uris_dropped: dropped }
}

/**
 * RFC 8414, 2; RFC 9207, 3 (`iss` against mix-up attacks);
 * draft-ietf-oauth-client-id-metadata-document, 5.
 */
const SERVER_METADATA = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'jwks_uri',
  'response_types_supported',
  'grant_types_supported',
  'code_challenge_methods_supported',
  'token_endpoint_auth_methods_supported',
  'authorization_response_iss_parameter_supported',
  'client_id_metadata_document_supported',
] as const

/** RFC 7591, 2 and 3.2.1. */
const CLIENT_METADATA = [
  'client_id',
  'client_id_issued_at',
  'client_secret',
  'client_secret_expires_at',
  'client_name',
  'client_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'contacts',
  'redirect_uris',
  'grant_types',
  'response_types',
  'token_endpoint_auth_method',
  'application_type',
] as const

type Body = Readonly<Record<string, unknown>>

function serverMetadata(body: Body, scopes: readonly string[]): Body {
  const listed = body.token_endpoint_auth_methods_supported as readonly string[]
  const methods = [...listed, 'private_key_jwt']
  return {
    ...pick(body, SERVER_METADATA),
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    scopes_supported: scopes,
    response_modes_supported: ['query'],
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  }
}

function clientMetadata(body: Body): Body {
  return pick(body, CLIENT_METADATA)
}

function pick(body: Body, names: readonly string[]): Body {
  return Object.fromEntries(
    names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]),
  )
}
