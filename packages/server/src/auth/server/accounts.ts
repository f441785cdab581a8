/** Who a token is for: the session that was made when a person let the client in. */

import type { Account, FindAccount } from 'oidc-provider'
import type { AuthorizationServerDeps } from './options.ts'
import { forProvider } from './unavailable.ts'

/**
 * Finds the session; one that nobody used for a while begins anew under its id, for as long as the
 * client is let in. One that was ended does not.
 */
export function createFindAccount({
  sessions,
}: Pick<AuthorizationServerDeps, 'sessions'>): FindAccount {
  return (ctx, id) =>
    forProvider(async () => {
      if (!(await openSession(sessions, id, ctx.oidc.client?.clientName))) return undefined
      const account: Account = { accountId: id, claims: async () => ({ sub: id }) }
      return account
    })
}

/** Sees to it that there is a session of this id; false when it was ended. */
export async function openSession(
  sessions: AuthorizationServerDeps['sessions'],
  id: string,
  clientName: string | undefined,
): Promise<boolean> {
  const session =
    (await sessions.retrieve(id)) ??
    (await sessions.createWithId(id, 'token', clientName === undefined ? {} : { clientName })) ??
    // Somebody else was faster, or it was ended.
    (await sessions.retrieve(id))
  return session !== undefined
}
