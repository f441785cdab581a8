/** What a person is asked at `/authorize`: whether a client may call in their name. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { type Client, errors, type InteractionResults } from 'oidc-provider'
import { shortHash } from '../../crypto/hash.ts'
import { openSession } from './accounts.ts'
import { createApprovals } from './approvals.ts'
import type { AuthorizedClients } from './authorized-clients.ts'
import { isMetadataDocument } from './clients.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { SIGNED_IN_UPSTREAM } from './signed-in-grants.ts'
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

/** How far an authorization has come. */
export type Consent = { readonly step: 'ask'; readonly request: ConsentRequest } | Approved

export type Approved =
  /** The person said yes, and has yet to sign in upstream (`LOGIN=at-authorize`). */
  | { readonly step: 'sign_in'; readonly request: ConsentRequest; readonly sessionId: string }
  /** Let in; the address is where the browser goes on. */
  | { readonly step: 'done'; readonly sessionId: string; readonly next: string }

export interface Consents {
  /** Undefined when it is unknown, over, or another browser's. */
  find(visit: Visit, uid: string): Promise<Consent | undefined>
  /** Makes the session and, unless the person has to sign in first, lets the client in. */
  approve(visit: Visit, uid: string): Promise<Approved | undefined>
  /**
   * The client is told; the address is where the browser goes on. An approval before it is
   * withdrawn: its session ends.
   */
  deny(visit: Visit, uid: string): Promise<string | undefined>
}

interface Pending {
  readonly provider: Provider
  readonly client: Client
  readonly params: Readonly<Record<string, unknown>>
  finish(result: InteractionResults): Promise<string>
}

type ConsentDeps = Pick<
  AuthorizationServerDeps,
  'store' | 'keyRing' | 'sessions' | 'signOut' | 'isSignedIn' | 'log'
> & { readonly authorizedClients: Pick<AuthorizedClients, 'remember'> }

export function createConsents(
  { login }: Pick<AuthorizationServerOptions, 'login'>,
  deps: ConsentDeps,
  current: () => Promise<Provider>,
): Consents {
  const approvals = createApprovals(deps)

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
        provider.interactionResult(request, response, result, once).catch((error: unknown) => {
          throw fromProvider(error)
        })
      return { provider, client, params, finish }
    } catch (error) {
      if (error instanceof errors.OIDCProviderError && error.statusCode < 500) return undefined
      throw fromProvider(error)
    }
  }

  /**
   * The grant is made last, so that an authorization that is given up leaves none. Repeating it
   * makes the same one.
   */
  async function proceed(found: Pending, sessionId: string): Promise<Approved> {
    if (login === 'at-authorize' && !(await deps.isSignedIn(sessionId))) {
      return { step: 'sign_in', request: describe(found), sessionId }
    }
    const grantId = await saveGrant(found, sessionId)
    await deps.authorizedClients.remember(found.client.clientId)
    const next = await found.finish({
      login: {
        accountId: sessionId,
        remember: false,
        ...(login === 'at-authorize' && { amr: [SIGNED_IN_UPSTREAM] }),
      },
      consent: { grantId },
    })
    return { step: 'done', sessionId, next }
  }

  return {
    async find(visit, uid) {
      const found = await pending(visit, uid)
      if (found === undefined) return undefined
      const sessionId = await approvals.find(uid)
      if (sessionId === undefined) return { step: 'ask', request: describe(found) }
      return proceed(found, sessionId)
    },

    async approve(visit, uid) {
      const found = await pending(visit, uid)
      if (found === undefined) return undefined
      const sessionId = await approvals.give(uid)
      if (sessionId === undefined) return undefined
      if (!(await openSession(deps.sessions, sessionId, found.client.clientName))) return undefined
      // Withdrawn before there was a session to end.
      if ((await approvals.find(uid)) === undefined) return undefined
      const facts = { client: found.client.clientId, session: shortHash(sessionId) }
      deps.log.audit(facts, 'client let in')
      return proceed(found, sessionId)
    },

    async deny(visit, uid) {
      const found = await pending(visit, uid)
      if (found === undefined) return undefined
      const sessionId = await approvals.withdraw(uid)
      if (sessionId !== undefined) await deps.signOut(sessionId)
      deps.log.audit({ client: found.client.clientId }, 'client refused')
      const description = 'The person did not let the client in'
      return found.finish({ error: 'access_denied', error_description: description })
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
async function saveGrant({ provider, client, params }: Pending, sessionId: string) {
  const { scope, resource } = params
  const grant = new provider.Grant({ accountId: sessionId, clientId: client.clientId })
  grant.jti = sessionId
  grant.addOIDCScope(String(scope))
  for (const each of [resource].flat()) grant.addResourceScope(String(each), String(scope))
  try {
    return await grant.save()
  } catch (error) {
    throw fromProvider(error)
  }
}
