/** An authorization that waits for a person: what the library knows of it, and its end. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { type Client, errors, type InteractionResults } from 'oidc-provider'
import { grantIdOf } from './grants.ts'
import { fromProvider } from './unavailable.ts'

/** A browser's request: the cookies in it say which authorization the browser is in. */
export interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface Pending {
  readonly provider: Provider
  readonly client: Client
  readonly params: Readonly<Record<string, unknown>>
  readonly uid: string
  finish(result: InteractionResults): Promise<string>
}

/** Undefined when it is unknown, over, or another browser's. */
export function createFindPending(current: () => Promise<Provider>) {
  return async ({ request, response }: Visit, uid: string): Promise<Pending | undefined> => {
    try {
      const provider = await current()
      const { params, uid: known } = await provider.interactionDetails(request, response)
      // The cookie says which authorization this browser is in; the URL must not name another.
      if (known !== uid) return undefined
      const client = await provider.Client.find(String(params.client_id))
      if (client === undefined) return undefined
      const once = { mergeWithLastSubmission: false }
      const finish = (result: InteractionResults) =>
        provider.interactionResult(request, response, result, once).catch((error: unknown) => {
          throw fromProvider(error)
        })
      return { provider, client, params, uid, finish }
    } catch (error) {
      if (error instanceof errors.OIDCProviderError && error.statusCode < 500) return undefined
      throw fromProvider(error)
    }
  }
}

/** The scopes are the grant's alone: an earlier one of the same session keeps its own. */
export async function saveGrant({ provider, client, params, uid }: Pending, sessionId: string) {
  const { scope, resource } = params
  const grant = new provider.Grant({ accountId: sessionId, clientId: client.clientId })
  grant.jti = grantIdOf(sessionId, uid)
  grant.addOIDCScope(String(scope))
  for (const each of [resource].flat()) grant.addResourceScope(String(each), String(scope))
  try {
    return await grant.save()
  } catch (error) {
    throw fromProvider(error)
  }
}
