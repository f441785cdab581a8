/** What one request to the authorization server has stored, counted for whoever sent it. */

import type { IncomingMessage } from 'node:http'
import Provider, { type AdapterPayload } from 'oidc-provider'
import { type StorageBudget, sealedBytes, UNLIMITED } from '../../store/storage-budget.ts'

const budgets = new WeakMap<IncomingMessage, StorageBudget>()

/** From now on, what `request` has stored counts for `storage`. */
export function countStorageOf(request: IncomingMessage, storage: StorageBudget): void {
  budgets.set(request, storage)
}

/** The budget of a request; unlimited outside of one. */
export function storageOf(context: { readonly req: IncomingMessage } | undefined): StorageBudget {
  return (context && budgets.get(context.req)) ?? UNLIMITED
}

/**
 * Counts an entry that the library is about to have stored. Whoever shows a refresh token was let in:
 * it is not counted. Who shows a code has stored most already, and has used the code up: it is
 * counted, and not refused.
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
