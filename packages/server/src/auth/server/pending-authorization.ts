/** A pending authorization: the library's interaction, from the consent page to its result. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { type Client, errors, type InteractionResults } from 'oidc-provider'
import { grantIdOf } from './grants.ts'
import { fromProvider } from './unavailable.ts'

/** A request of a browser, whose cookies bind the browser to its authorization. */
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

/** Undefined when the authorization is unknown, expired, or belongs to another browser. */
export function createFindPending(current: () => Promise<Provider>) {
  return async ({ request, response }: Visit, uid: string): Promise<Pending | undefined> => {
    try {
      const provider = await current()
      const { params, uid: known } = await provider.interactionDetails(request, response)
      // CSRF: the authorization in the URL must be the one that the browser's cookie names.
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

/** Saves a grant with its own scopes; earlier grants of the same session keep theirs. */
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
