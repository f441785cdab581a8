/** `LOGIN=at-authorize`: a client keeps its access for as long as its person is signed in upstream. */

import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { forProvider } from './unavailable.ts'

/**
 * Refuses to refresh a grant whose session has no sign-in: the provider has ended it, or the grant is
 * from before `LOGIN=at-authorize`. The client then authorizes again, which signs the person in.
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
  // Nodes of releases before this one keep nothing.
  await forProvider(() => keptSignIns.keep(accountId))
}
