/** `LOGIN=at-authorize`: a client keeps its access while the user is signed in upstream. */

import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { forProvider } from './unavailable.ts'

/**
 * Refuses to refresh a grant whose session has no sign-in: the upstream provider has revoked it, or
 * the grant predates `LOGIN=at-authorize`. The client then authorizes again, with a new sign-in.
 * @throws InvalidGrant
 */
export async function requireSignedInGrant(
  { oidc }: KoaContextWithOIDC,
  { login }: Pick<AuthorizationServerOptions, 'login'>,
  { isSignedIn, keptSignIns }: Pick<AuthorizationServerDeps, 'isSignedIn' | 'keptSignIns'>,
): Promise<void> {
  const token = oidc.entities.RefreshToken
  if (login !== 'at-authorize' || token === undefined) return
  const { accountId } = token
  if (!(await forProvider(() => isSignedIn(accountId)))) {
    throw new errors.InvalidGrant('nobody is signed in for this grant')
  }
  // Nodes of previous releases do not keep the sign-in.
  await forProvider(() => keptSignIns.keep(accountId))
}
