/**
 * The account of a token: the session created when the user authorized the client. With
 * `LOGIN=at-authorize`, the client keeps its access while the user is signed in upstream.
 */

import { type Account, errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider'
import type { Session } from '../../session/record.ts'
import { refuseBlocked } from './blocked.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { forProvider } from './unavailable.ts'

/**
 * Finds the session. While the client is authorized, recreates a session that expired from
 * idleness, under the same id and with its kept sign-in; does not recreate one that was ended.
 */
export function createFindAccount(
  deps: Pick<AuthorizationServerDeps, 'sessions' | 'keptSignIns' | 'blocks'>,
): FindAccount {
  return (ctx, id) =>
    forProvider(async () => {
      const { clientId = '', clientName } = ctx.oidc.client ?? {}
      const session = await openSession(deps, id, clientName)
      if (session === undefined) return undefined
      await refuseBlocked(deps.blocks, { clientId, session })
      const account: Account = { accountId: id, claims: async () => ({ sub: id }) }
      return account
    })
}

/** Ensures that a session with this id exists, with its sign-in; undefined if it was ended. */
export async function openSession(
  { sessions, keptSignIns }: Pick<AuthorizationServerDeps, 'sessions' | 'keptSignIns'>,
  id: string,
  clientName: string | undefined,
): Promise<Session | undefined> {
  const session =
    (await sessions.retrieve(id)) ??
    (await sessions.createWithId(id, 'token', clientName === undefined ? {} : { clientName })) ??
    // A concurrent request created the session, or it was ended.
    (await sessions.retrieve(id))
  if (session !== undefined) await keptSignIns.restore(id)
  return session
}

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
