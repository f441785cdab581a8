/** Who a token is for: the session that was made when a person let the client in. */

import type { Account, FindAccount } from 'oidc-provider'
import type { AuthorizationServerDeps } from './options.ts'
import { forProvider } from './unavailable.ts'

/**
 * Finds the session; one that nobody used for a while begins anew under its id, for as long as the
 * client is let in, with the sign-in that is kept of it. One that was ended does not.
 */
export function createFindAccount(
  deps: Pick<AuthorizationServerDeps, 'sessions' | 'keptSignIns'>,
): FindAccount {
  return (ctx, id) =>
    forProvider(async () => {
      if (!(await openSession(deps, id, ctx.oidc.client?.clientName))) return undefined
      const account: Account = { accountId: id, claims: async () => ({ sub: id }) }
      return account
    })
}

/** Sees to it that there is a session of this id, with its sign-in; false when it was ended. */
export async function openSession(
  { sessions, keptSignIns }: Pick<AuthorizationServerDeps, 'sessions' | 'keptSignIns'>,
  id: string,
  clientName: string | undefined,
): Promise<boolean> {
  const session =
    (await sessions.retrieve(id)) ??
    (await sessions.createWithId(id, 'token', clientName === undefined ? {} : { clientName })) ??
    // Somebody else was faster, or it was ended.
    (await sessions.retrieve(id))
  if (session !== undefined) await keptSignIns.restore(id)
  return session !== undefined
}
