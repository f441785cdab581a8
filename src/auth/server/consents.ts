/** What a person is asked at `/authorize`: whether a client may call in their name. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { type Client, errors, type InteractionResults } from 'oidc-provider'
import { clientFacts } from './accounts.ts'
import { isMetadataDocument } from './clients.ts'
import type { AuthorizationServerDeps } from './options.ts'
import { fromProvider } from './unavailable.ts'

/** A browser's request: the cookies in it say which authorization the browser is in. */
export interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface ConsentRequest {
  readonly clientName: string | undefined
  /** The host that vouches for the client: where its metadata document lies. */
  readonly clientHost: string | undefined
  /** Where the browser goes afterwards, with the code. */
  readonly redirectUri: string
  readonly scopes: readonly string[]
}

export interface Approval {
  readonly sessionId: string
  /** Where the browser goes on. */
  readonly next: string
}

export interface Consents {
  /** Undefined when it is unknown, over, or another browser's. */
  find(visit: Visit, uid: string): Promise<ConsentRequest | undefined>
  /** Makes the session and lets the client in. */
  approve(visit: Visit, uid: string): Promise<Approval | undefined>
  /** The client is told; the address is where the browser goes on. */
  deny(visit: Visit, uid: string): Promise<string | undefined>
}

interface Pending {
  readonly provider: Provider
  readonly client: Client
  readonly params: Readonly<Record<string, unknown>>
  finish(result: InteractionResults): Promise<string>
}

export function createConsents(
  { sessions }: Pick<AuthorizationServerDeps, 'sessions'>,
  current: () => Promise<Provider>,
): Consents {
  async function pending({ request, response }: Visit, uid: string): Promise<Pending | undefined> {
    try {
      const provider = await current()
      const { params, uid: known } = await provider.interactionDetails(request, response)
      // The cookie says which authorization this browser is in; the URL must not name another.
      if (known !== uid) return undefined
      const client = await provider.Client.find(String(params.client_id))
      if (client === undefined) return undefined
      const once = { mergeWithLastSubmission: false }
      const finish = (result: InteractionResults) =>
        provider.interactionResult(request, response, result, once)
      return { provider, client, params, finish }
    } catch (error) {
      if (error instanceof errors.OIDCProviderError && error.statusCode < 500) return undefined
      throw fromProvider(error)
    }
  }

  return {
    async find(visit, uid) {
      const found = await pending(visit, uid)
      return found && describe(found)
    },

    async approve(visit, uid) {
      const found = await pending(visit, uid)
      if (found === undefined) return undefined
      const { provider, client, params } = found
      const session = await sessions.create('token', clientFacts(client.clientName))
      const grantId = await saveGrant(provider, session.id, client, params)
      // Signing in upstream at this moment (`LOGIN=at-authorize`) goes here: the session exists,
      // and the browser is let go on when it is signed in.
      const next = await found.finish({
        login: { accountId: session.id, remember: false },
        consent: { grantId },
      })
      return { sessionId: session.id, next }
    },

    async deny(visit, uid) {
      const found = await pending(visit, uid)
      const description = 'The person did not let the client in'
      return found?.finish({ error: 'access_denied', error_description: description })
    },
  }
}

function describe({ client, params }: Pending): ConsentRequest {
  return {
    clientName: client.clientName,
    clientHost: isMetadataDocument({ client_id: client.clientId })
      ? new URL(client.clientId).host
      : undefined,
    redirectUri: String(params.redirect_uri),
    scopes: String(params.scope ?? '').split(' '),
  }
}

/** A grant has the id of its session: they begin and end together. */
async function saveGrant(
  provider: Provider,
  sessionId: string,
  { clientId }: Client,
  { scope, resource }: Pending['params'],
): Promise<string> {
  const grant = new provider.Grant({ accountId: sessionId, clientId })
  grant.jti = sessionId
  grant.addOIDCScope(String(scope))
  for (const each of [resource].flat()) grant.addResourceScope(String(each), String(scope))
  try {
    return await grant.save()
  } catch (error) {
    throw fromProvider(error)
  }
}
