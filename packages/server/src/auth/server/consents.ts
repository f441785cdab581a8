/** What a person is asked at `/authorize`: whether a client may call in their name. */

import type Provider from 'oidc-provider'
import { shortHash } from '../../crypto/hash.ts'
import { openSession } from './accounts.ts'
import { type Approvals, createApprovals, type Given } from './approvals.ts'
import { isMetadataDocument } from './clients.ts'
import type { ConsentedClients } from './consented-clients.ts'
import {
  type Continuation,
  type ContinuationDeps,
  createFindContinuation,
  type Grantee,
  granteeOf,
} from './continuations.ts'
import type { Grants } from './grants.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import { createFindPending, type Pending, saveGrant, type Visit } from './pending-authorization.ts'

export interface ConsentRequest {
  readonly clientName: string | undefined
  /** The host that vouches for the client: where its metadata document lies. */
  readonly clientHost: string | undefined
  /** Where the browser goes afterwards, with the code. */
  readonly redirectUri: string
  readonly scopes: readonly string[]
  /** The operator has decided for this client (`skip_consent` in OAUTH_CLIENTS): nobody is asked. */
  readonly isSkipped?: boolean
  /** The session that the client goes on with if the person wants. */
  readonly continues?: Continuation | undefined
}

/** What a person chose who approves: `default` leaves it to `Continuation.isDefault`. */
export type SessionChoice = 'default' | 'continue' | 'anew'

/** How far an authorization has come. */
export type Consent = { readonly step: 'ask'; readonly request: ConsentRequest } | Approved

export type Approved =
  /** The person said yes, and has yet to sign in upstream (`LOGIN=at-authorize`). */
  | { readonly step: 'sign_in'; readonly request: ConsentRequest; readonly sessionId: string }
  /** Let in; the address is where the browser goes on. */
  | { readonly step: 'done'; readonly sessionId: string; readonly next: string }

export interface Consents {
  /** Undefined when it is unknown, over, or another browser's. */
  find(visit: Visit, uid: string, browser?: string): Promise<Consent | undefined>
  /**
   * Makes the session, or continues one of the same browser and client, and, unless the person has to
   * sign in first, grants access. `browser` is the SHA-256 of its cookie.
   */
  approve(
    visit: Visit,
    uid: string,
    browser?: string,
    choice?: SessionChoice,
  ): Promise<Approved | undefined>
  /**
   * The client is told; the address is where the browser goes on. An approval before it is
   * withdrawn: the session that was made for it ends.
   */
  deny(visit: Visit, uid: string): Promise<string | undefined>
}

type ConsentDeps = Pick<
  AuthorizationServerDeps,
  | 'store'
  | 'keyRing'
  | 'sessions'
  | 'signOut'
  | 'isSignedIn'
  | 'settleSignIn'
  | 'keptSignIns'
  | 'log'
  | 'now'
> &
  Pick<ContinuationDeps, 'sessionsOf'> & {
    readonly authorizedClients: Pick<ConsentedClients, 'remember'>
    readonly grants: Pick<Grants, 'add'>
  }

export function createConsents(
  options: Pick<AuthorizationServerOptions, 'login' | 'clients' | 'startsAnew'>,
  deps: ConsentDeps,
  current: () => Promise<Provider>,
): Consents {
  const approvals = createApprovals(deps)
  const pending = createFindPending(current)
  const findContinuation = createFindContinuation(deps, options)
  const granteeFor = ({ client, params }: Pending) =>
    granteeOf(client, String(params.redirect_uri), options.clients)
  const continuationFor = (found: Pending, browser: string | undefined) =>
    findContinuation(browser, granteeFor(found), String(found.params.redirect_uri))
  const skipsConsent = (id: string) =>
    options.clients.some(({ client_id, skip_consent }) => client_id === id && skip_consent === true)
  const proceed = createProceed(options, deps, { approvals, granteeFor })

  return {
    async find(visit, uid, browser) {
      const found = await pending(visit, uid)
      if (found === undefined) return undefined
      const given = await approvals.find(uid)
      if (given !== undefined) return proceed(found, given)
      const continues = await continuationFor(found, browser)
      const isSkipped = skipsConsent(found.client.clientId)
      return { step: 'ask', request: { ...describe(found), continues, isSkipped } }
    },

    async approve(visit, uid, browser, choice = 'default') {
      const found = await pending(visit, uid)
      if (found === undefined) return undefined
      const candidate = choice === 'anew' ? undefined : await continuationFor(found, browser)
      const goesOn = choice === 'continue' || candidate?.isDefault
      const given = await approvals.give(uid, goesOn ? candidate?.sessionId : undefined)
      if (given === undefined) return undefined
      const { sessionId, continued } = given
      if (!(await openSession(deps, sessionId, found.client.clientName))) return undefined
      await deps.sessions.update(sessionId, 'grantee', granteeFor(found))
      // Withdrawn before there was a session to end.
      if ((await approvals.find(uid)) === undefined) return undefined
      const facts = { client: found.client.clientId, session: shortHash(sessionId), continued }
      deps.log.audit(facts, 'client let in')
      return proceed(found, given)
    },

    async deny(visit, uid) {
      const found = await pending(visit, uid)
      if (found === undefined) return undefined
      const given = await approvals.withdraw(uid)
      if (given?.continued === false) await deps.signOut(given.sessionId)
      deps.log.audit({ client: found.client.clientId }, 'client refused')
      const description = 'The person did not let the client in'
      return found.finish({ error: 'access_denied', error_description: description })
    },
  }
}

interface ProceedParts {
  readonly approvals: Approvals
  readonly granteeFor: (found: Pending) => Grantee
}

/** What follows an approval: the sign-in, if it comes first, then the grant and the code. */
function createProceed(
  { login }: Pick<AuthorizationServerOptions, 'login'>,
  deps: ConsentDeps,
  { approvals, granteeFor }: ProceedParts,
) {
  /** The person has signed in: their earlier session with this client goes on, in any browser. */
  async function settle(found: Pending, given: Given): Promise<Given> {
    const sessionId = await deps.settleSignIn(given.sessionId, granteeFor(found).key)
    if (sessionId === given.sessionId) return given
    const continued = { sessionId, continued: true }
    await approvals.replace(found.uid, continued)
    return continued
  }

  /**
   * The grant is made last, so that an authorization that is given up leaves none. Repeating it
   * makes the same one.
   */
  return async (found: Pending, given: Given): Promise<Approved> => {
    if (login === 'at-authorize' && !(await deps.isSignedIn(given.sessionId))) {
      return { step: 'sign_in', request: describe(found), sessionId: given.sessionId }
    }
    const { sessionId, continued } = login === 'at-authorize' ? await settle(found, given) : given
    await deps.keptSignIns.keep(sessionId)
    const grantId = await saveGrant(found, sessionId)
    await deps.grants.add(grantId, continued)
    await deps.authorizedClients.remember(found.client.clientId)
    const next = await found.finish({
      login: { accountId: sessionId, remember: false },
      consent: { grantId },
    })
    return { step: 'done', sessionId, next }
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
