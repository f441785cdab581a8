/** Charges the bytes that a request to the authorization server stores to its storage budget. */

import type { IncomingMessage } from 'node:http'
import Provider, { type AdapterPayload } from 'oidc-provider'
import { type StorageBudget, sealedBytes, UNLIMITED } from '../../store/storage-budget.ts'

const budgets = new WeakMap<IncomingMessage, StorageBudget>()

/** Charges what `request` stores from now on to `storage`. */
export function countStorageOf(request: IncomingMessage, storage: StorageBudget): void {
  budgets.set(request, storage)
}

/** The budget of a request; unlimited outside of one. */
export function storageOf(context: { readonly req: IncomingMessage } | undefined): StorageBudget {
  return (context && budgets.get(context.req)) ?? UNLIMITED
}

/**
 * Charges an entry that the library is about to store. Does not charge refreshes, which require an
 * authorized client. Charges the exchange of a code without refusing it, since the code is already
 * consumed.
 * @throws AppError `too_many_requests` when the budget is exhausted; nothing may be stored then
 */
export async function spendOnEntry(payload: AdapterPayload): Promise<void> {
  const { ctx } = Provider
  const storage = storageOf(ctx)
  if (storage === UNLIMITED) return
  if (ctx?.oidc.route !== 'token') await storage.spend(sealedBytes(payload))
  else if (ctx.oidc.params?.grant_type === 'authorization_code') {
    storage.charge(sealedBytes(payload))
  }
}
