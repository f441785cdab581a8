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
      const client = clientFacts(ctx.oidc.client?.clientName)
      const session =
        (await sessions.retrieve(id)) ??
        (await sessions.createWithId(id, 'token', client)) ??
        // Somebody else was faster, or it was ended.
        (await sessions.retrieve(id))
      if (session === undefined) return undefined
      const account: Account = { accountId: id, claims: async () => ({ sub: id }) }
      return account
    })
}

export function clientFacts(clientName: string | undefined): { clientName?: string } {
  return clientName === undefined ? {} : { clientName }
}
