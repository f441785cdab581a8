/** Grants for which a person signed in upstream, told from those of `LOGIN=on-demand`. */

import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { forProvider } from './unavailable.ts'

/** Kept with codes and refresh tokens as an authentication method (OpenID Connect Core 1.0, 2). */
export const SIGNED_IN_UPSTREAM = 'upstream'

/**
 * Refuses to refresh a grant from before `LOGIN=at-authorize`: what a script got while nobody had to
 * sign in would otherwise stay good for REFRESH_TOKEN_TTL.
 * @throws InvalidGrant
 */
export async function requireSignedInGrant(
  { oidc }: KoaContextWithOIDC,
  { login }: Pick<AuthorizationServerOptions, 'login'>,
  { isSignedIn }: Pick<AuthorizationServerDeps, 'isSignedIn'>,
): Promise<void> {
  const token = oidc.entities.RefreshToken
  if (login !== 'at-authorize' || token === undefined) return
  if ([token.amr].flat().includes(SIGNED_IN_UPSTREAM)) return
  // Signed in since, by the tool `login`, or by a release that did not keep this.
  if (await forProvider(() => isSignedIn(token.accountId))) return
  throw new errors.InvalidGrant('nobody has signed in for this grant')
}
