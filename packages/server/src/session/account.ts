/** The model of the account page: a visitor's clients, tokens and upstream accounts. */

import { sha256, shortHash } from '../crypto/hash.ts'
import { randomValue } from '../crypto/random-id.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import type { IdentityProvider } from '../upstream/identity-provider.ts'
import type { Authorization, Authorizations } from './authorizations.ts'
import type { AuthorizedClients } from './authorized-clients.ts'
import { type CredentialStore, newestFence } from './credentials.ts'
import type { SessionManager } from './manager.ts'
import type { NewToken, PersonalTokens, TokenRefusal } from './personal-tokens.ts'
import { narrowedScopes, type Session } from './record.ts'
import type { SignOut } from './sign-out.ts'

/** Lock expiry if its holder crashes; longer than making a token takes. */
const LOCK_SECONDS = 30

/** An upstream that people sign in at. */
export interface AccountUpstream {
  readonly name: string
  readonly signsInAt: string
  readonly credentials: CredentialStore
  readonly provider: Pick<IdentityProvider, 'revoke'>
}

export interface AccountDeps {
  readonly store: Store
  readonly sessions: Pick<SessionManager, 'peek'>
  readonly authorizations: Authorizations
  readonly authorizedClients: Pick<AuthorizedClients, 'sessionsOf'>
  /** Undefined if people cannot make tokens. */
  readonly personalTokens: PersonalTokens | undefined
  readonly upstreams: readonly AccountUpstream[]
  /** The upstream that identifies people; undefined if nobody can sign in to the page. */
  readonly identity: AccountUpstream | undefined
  readonly signOut: SignOut
  readonly log: Pick<Logger, 'audit'>
}

/** Who looks at the page: a signed-in person, a browser that has authorized clients, or nobody. */
export interface Visitor {
  /** The session of the visit, once the person has signed in. */
  readonly visit: Session | undefined
  /** SHA-256 of the cookie of a known browser. */
  readonly browser: string | undefined
}

/** A client or token, as the page shows it. */
export interface AuthorizedAccess {
  /** Identifies it in forms: a hash, since pages must not contain session ids. */
  readonly id: string
  /** The name of its session in the logs. */
  readonly logName: string
  readonly name: string | undefined
  /** Unix times in milliseconds. */
  readonly since: number
  readonly lastUsedAt: number | undefined
  /** Undefined for a client. */
  readonly expiresAt: number | undefined
  /** The consented scopes; `allowed` are those that are left. */
  readonly scopes: readonly string[]
  readonly allowed: readonly string[]
  /** Where the person is signed in for it. */
  readonly accounts: readonly UpstreamAccount[]
}

export interface UpstreamAccount {
  readonly upstream: string
  readonly signsInAt: string
  /** Name or address of the account; undefined if the provider names none. */
  readonly account: string | undefined
}

export interface AccountView {
  readonly isSignedIn: boolean
  readonly clients: readonly AuthorizedAccess[]
  readonly tokens: readonly AuthorizedAccess[]
  /** Whether the sign-in of this visit can still become that of a token. */
  readonly canMakeToken: boolean
}

export class Account {
  readonly #deps: AccountDeps

  constructor(deps: AccountDeps) {
    this.#deps = deps
  }

  /** Host of the sign-in page; undefined if nobody can sign in to the page. */
  get signsInAt(): string | undefined {
    return this.#deps.identity?.signsInAt
  }

  /** Undefined if people cannot make tokens. */
  get personalTokens(): PersonalTokens | undefined {
    return this.#deps.personalTokens
  }

  async view(visitor: Visitor): Promise<AccountView> {
    const { visit } = visitor
    const [clients, tokens] = await this.#ownedBy(visitor)
    const shown = (all: readonly Authorization[]) =>
      Promise.all(all.map((each) => this.#show(each)))
    return {
      isSignedIn: visit !== undefined,
      clients: await shown(clients),
      tokens: await shown(tokens),
      canMakeToken:
        visit !== undefined && this.#deps.identity?.credentials.read(visit) !== undefined,
    }
  }

  /** Ends the visit, and its sign-in. */
  async leave({ visit }: Visitor): Promise<void> {
    if (visit !== undefined) await this.#deps.signOut(visit.id)
  }

  /** Removes a client or token with its sign-ins, on all nodes; false if it is not the visitor's. */
  async remove(visitor: Visitor, id: string): Promise<boolean> {
    const found = await this.#find(visitor, id)
    if (found === undefined) return false
    await this.#deps.signOut(found.sessionId)
    this.#audit(found.kind === 'client' ? 'client removed' : 'personal token revoked', found)
    return true
  }

  /** Narrows it to some of its scopes; false if it is not the visitor's. */
  async narrow(visitor: Visitor, id: string, scopes: readonly string[]): Promise<boolean> {
    const found = await this.#find(visitor, id)
    if (found === undefined) return false
    await this.#deps.authorizations.narrow(found.sessionId, scopes)
    const left = narrowedScopes(found.scopes, found).filter((scope) => scopes.includes(scope))
    this.#audit('scopes narrowed', found, { scopes: left.join(' ') })
    return true
  }

  /** Signs out at one upstream, for one client; false if it is not the visitor's. */
  async signOutOf(visitor: Visitor, id: string, upstream: string): Promise<boolean> {
    const found = await this.#find(visitor, id)
    const at = this.#deps.upstreams.find(({ name }) => name === upstream)
    const session = found && (await this.#deps.sessions.peek(found.sessionId))
    if (found === undefined || at === undefined || session === undefined) return false
    const held = at.credentials.read(session)
    await this.#forget(at, session.id)
    if (held !== undefined) await at.provider.revoke(held)
    this.#audit('signed out upstream', found, { upstream })
    return true
  }

  /** Makes a personal access token. The upstream sign-in of the visit moves into it. */
  async makeToken(
    { visit }: Visitor,
    wanted: NewToken,
  ): Promise<{ readonly token: string } | TokenRefusal | 'sign_in'> {
    const { store, sessions, personalTokens, log } = this.#deps
    const { identity } = this.#deps
    if (visit === undefined || identity === undefined || personalTokens === undefined)
      return 'sign_in'
    // Two tokens with one sign-in would invalidate each other's refresh token.
    const lock = await store.lock(`{${visit.id}}:make-token`, LOCK_SECONDS)
    if (lock === undefined) return 'sign_in'
    try {
      const latest = await sessions.peek(visit.id)
      const held = latest && identity.credentials.read(latest)
      if (held === undefined) return 'sign_in'
      const made = await personalTokens.make(held, wanted)
      if (typeof made === 'string') return made
      await this.#forget(identity, visit.id)
      const { scopes, ttlSeconds } = wanted
      const facts = { session: shortHash(made.sessionId), scopes: scopes.join(' '), ttlSeconds }
      log.audit(facts, 'personal token made')
      return { token: made.token }
    } finally {
      await lock.release()
    }
  }

  /**
   * The visitor's clients and tokens. The clients of this browser that nobody has signed in for
   * count as the visitor's.
   */
  async #ownedBy({ visit, browser }: Visitor) {
    const { authorizations, authorizedClients } = this.#deps
    const { owner } = visit ?? {}
    const [clients, tokens, ofBrowser] = await Promise.all([
      owner === undefined ? [] : authorizations.ofPerson('client', owner),
      owner === undefined ? [] : authorizations.ofPerson('personal', owner),
      browser === undefined ? [] : authorizedClients.sessionsOf(browser),
    ])
    const unowned = ofBrowser.filter((session) => session.owner === undefined)
    const further = await authorizations.readAll(unowned.map(({ id }) => id))
    return [[...clients, ...further.filter((each) => each.owner === undefined)], tokens] as const
  }

  /** Finds an authorization of the visitor by the id in a form; undefined for those of others. */
  async #find(visitor: Visitor, id: string): Promise<Authorization | undefined> {
    const all = (await this.#ownedBy(visitor)).flat()
    return all.find(({ sessionId }) => sha256(sessionId) === id)
  }

  async #show(authorization: Authorization): Promise<AuthorizedAccess> {
    const { kind, sessionId, name, since, scopes, allowed = scopes, expiresAt } = authorization
    const session = await this.#deps.sessions.peek(sessionId)
    return {
      ...{ id: sha256(sessionId), logName: shortHash(sessionId) },
      ...{ name, since, scopes, allowed, expiresAt },
      lastUsedAt: kind === 'personal' ? authorization.lastUsedAt : session?.lastActiveAt,
      accounts: session === undefined ? [] : this.#accountsOf(session),
    }
  }

  #accountsOf(session: Session): readonly UpstreamAccount[] {
    return this.#deps.upstreams.flatMap(({ name: upstream, signsInAt, credentials }) => {
      const held = credentials.read(session)
      if (held === undefined) return []
      return [{ upstream, signsInAt, account: held.account?.email ?? held.account?.name }]
    })
  }

  async #forget({ credentials }: AccountUpstream, sessionId: string): Promise<void> {
    const fence = await newestFence(this.#deps.store, sessionId, randomValue())
    await credentials.forget(sessionId, fence)
  }

  #audit(what: string, { kind, sessionId, clientId }: Authorization, more: object = {}): void {
    const client = kind === 'client' ? { client: clientId } : {}
    this.#deps.log.audit({ ...client, session: shortHash(sessionId), ...more }, what)
  }
}
