/** User consent at `/authorize`: shows the request, and records an approval or a denial. */

import type Provider from 'oidc-provider'
import { shortHash } from '../../crypto/hash.ts'
import { openSession } from './accounts.ts'
import { isMetadataDocument } from './clients.ts'
import {
  type Continuation,
  type ContinuationDeps,
  createFindContinuation,
  type Grantee,
  granteeOf,
} from './continuations.ts'
import type { ConsentedClients } from './error-redirects.ts'
import type { Grants } from './grants.ts'
import type { AuthorizationServerDeps, AuthorizationServerOptions } from './options.ts'
import {
  type Approval,
  type Approvals,
  createApprovals,
  createFindPending,
  type PageRequest,
  type Pending,
  saveGrant,
} from './pending-authorization.ts'

export interface ConsentRequest {
  readonly clientName: string | undefined
  /** The host of the client's metadata document, which identifies the client. */
  readonly clientHost: string | undefined
  /** Where the browser is redirected with the code. */
  readonly redirectUri: string
  readonly scopes: readonly string[]
  /** The operator registered the client (OAUTH_CLIENTS). */
  readonly isPreregistered?: boolean
  /** The operator waived consent for this client (`skip_consent` in OAUTH_CLIENTS). */
  readonly isSkipped?: boolean
  /** The session that the user may continue. */
  readonly continues?: Continuation | undefined
}

/** The user's choice of session at approval; `default` follows `Continuation.isDefault`. */
export type SessionChoice = 'default' | 'continue' | 'anew'

/** The current step of an authorization. */
export type Consent = { readonly step: 'ask'; readonly request: ConsentRequest } | Approved

export type Approved =
  /** Approved; the user still has to sign in upstream (`LOGIN=at-authorize`). */
  | { readonly step: 'sign_in'; readonly request: ConsentRequest; readonly sessionId: string }
  /** Authorized; `next` is the URL to redirect the browser to. */
  | { readonly step: 'done'; readonly sessionId: string; readonly next: string }

type ConsentDeps = Pick<
  AuthorizationServerDeps,
  | 'store'
  | 'keyRing'
  | 'sessions'
  | 'signOut'
  | 'isSignedIn'
  | 'settleSignIn'
  | 'authorizations'
  | 'keptSignIns'
  | 'log'
  | 'now'
> &
  Pick<ContinuationDeps, 'sessionsOf'> & {
    readonly authorizedClients: Pick<ConsentedClients, 'remember'>
    readonly grants: Pick<Grants, 'add'>
  }

type ConsentOptions = Pick<AuthorizationServerOptions, 'login' | 'clients' | 'startsAnew'>

export class Consents {
  readonly #options: ConsentOptions
  readonly #deps: ConsentDeps
  readonly #approvals: Approvals
  readonly #findPending: ReturnType<typeof createFindPending>
  readonly #findContinuation: ReturnType<typeof createFindContinuation>

  constructor(options: ConsentOptions, deps: ConsentDeps, current: () => Promise<Provider>) {
    this.#options = options
    this.#deps = deps
    this.#approvals = createApprovals(deps)
    this.#findPending = createFindPending(current)
    this.#findContinuation = createFindContinuation(deps, options)
  }

  /** Undefined when the authorization is unknown, expired, or belongs to another browser. */
  async find(request: PageRequest, uid: string, browser?: string): Promise<Consent | undefined> {
    const found = await this.#findPending(request, uid)
    if (found === undefined) return undefined
    const approval = await this.#approvals.find(uid)
    if (approval !== undefined) return this.#proceed(found, approval)
    const continues = await this.#continuationFor(found, browser)
    const client = this.#preregistered(found)
    const isSkipped = client?.skip_consent === true
    const facts = { continues, isSkipped, isPreregistered: client !== undefined }
    return { step: 'ask', request: { ...describe(found), ...facts } }
  }

  /**
   * Creates a session, or continues one of the same browser and client, and grants access unless
   * the user has to sign in first. `browser` is the SHA-256 of the browser's cookie.
   */
  async approve(
    request: PageRequest,
    uid: string,
    browser?: string,
    choice: SessionChoice = 'default',
  ): Promise<Approved | undefined> {
    const found = await this.#findPending(request, uid)
    if (found === undefined) return undefined
    const candidate = choice === 'anew' ? undefined : await this.#continuationFor(found, browser)
    const isContinued = choice === 'continue' || candidate?.isDefault
    const approval = await this.#record(found, isContinued ? candidate?.sessionId : undefined)
    return approval && this.#proceed(found, approval)
  }

  /**
   * Denies the authorization with `access_denied`; returns the URL to redirect the browser to.
   * Withdraws an earlier approval and ends the session that was created for it.
   */
  async deny(request: PageRequest, uid: string): Promise<string | undefined> {
    const { signOut, log } = this.#deps
    const found = await this.#findPending(request, uid)
    if (found === undefined) return undefined
    const approval = await this.#approvals.withdraw(uid)
    if (approval?.continued === false) await signOut(approval.sessionId)
    log.audit({ client: found.client.clientId }, 'client refused')
    const description = 'The user denied the authorization'
    return found.finish({ error: 'access_denied', error_description: description })
  }

  /** Records the approval, and opens the session; undefined if the authorization has ended. */
  async #record(found: Pending, continuedId: string | undefined): Promise<Approval | undefined> {
    const { sessions, log } = this.#deps
    const approval = await this.#approvals.record(found.uid, continuedId)
    if (approval === undefined) return undefined
    const { sessionId, continued } = approval
    if (!(await openSession(this.#deps, sessionId, found.client.clientName))) return undefined
    await sessions.update(sessionId, 'grantee', this.#granteeFor(found))
    // A concurrent denial withdrew the approval before the session existed.
    if ((await this.#approvals.find(found.uid)) === undefined) return undefined
    const facts = { client: found.client.clientId, session: shortHash(sessionId), continued }
    log.audit(facts, 'client authorized')
    return approval
  }

  /**
   * The steps after an approval: sign-in if required, then grant and code. Creates the grant last,
   * so that an abandoned authorization leaves none. Idempotent: a repetition creates the same
   * grant.
   */
  async #proceed(found: Pending, approval: Approval): Promise<Approved> {
    const { isSignedIn, keptSignIns, grants, authorizations, authorizedClients } = this.#deps
    const signsIn = this.#options.login === 'at-authorize'
    if (signsIn && !(await isSignedIn(approval.sessionId))) {
      return { step: 'sign_in', request: describe(found), sessionId: approval.sessionId }
    }
    const { sessionId, continued } = signsIn ? await this.#settle(found, approval) : approval
    await keptSignIns.keep(sessionId)
    const grantId = await saveGrant(found, sessionId)
    await grants.add(grantId, continued)
    const { clientId, clientName } = found.client
    const { scopes } = describe(found)
    const isAsked = this.#preregistered(found)?.skip_consent !== true
    await authorizations.consented(sessionId, { clientId, clientName, scopes, isAsked })
    await authorizedClients.remember(clientId)
    const next = await found.finish({
      login: { accountId: sessionId, remember: false },
      consent: { grantId },
    })
    return { step: 'done', sessionId, next }
  }

  /** After the sign-in, continues the user's earlier session with this client, in any browser. */
  async #settle(found: Pending, approval: Approval): Promise<Approval> {
    const { key } = this.#granteeFor(found)
    const sessionId = await this.#deps.settleSignIn(approval.sessionId, key)
    if (sessionId === approval.sessionId) return approval
    const continued = { sessionId, continued: true }
    await this.#approvals.replace(found.uid, continued)
    return continued
  }

  #continuationFor(found: Pending, browser: string | undefined) {
    const { redirect_uri: redirectUri } = found.params
    return this.#findContinuation(browser, this.#granteeFor(found), String(redirectUri))
  }

  #granteeFor({ client, params }: Pending): Grantee {
    return granteeOf(client, String(params.redirect_uri), this.#options.clients)
  }

  /** The operator's settings of the client, if it is one of `OAUTH_CLIENTS`. */
  #preregistered({ client }: Pending) {
    return this.#options.clients.find(({ client_id }) => client_id === client.clientId)
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
