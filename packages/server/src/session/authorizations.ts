/** Authorized clients and personal access tokens, indexed by person and by client. */

import { sha256 } from '../crypto/hash.ts'
import { AppError } from '../errors.ts'
import type { Store, Stored } from '../store/port.ts'
import { VISIT_TTL_SECONDS } from './account-visits.ts'
import type { SessionManager } from './manager.ts'
import { type AuthorizationRecord, authorizationKey } from './record.ts'

export interface ConsentedClient {
  readonly clientId: string
  readonly clientName: string | undefined
  readonly scopes: readonly string[]
  /** False if the operator waived the consent: removed scopes stay removed. */
  readonly isAsked?: boolean
}

/** An authorization, and the session it belongs to. */
export interface Authorization extends Stored<AuthorizationRecord> {
  readonly sessionId: string
}

export interface AuthorizationsDeps {
  readonly store: Store
  readonly sessions: Pick<SessionManager, 'peek' | 'update'>
  /** Unix time in milliseconds. */
  now(): number
}

export interface AuthorizationsOptions {
  /** The longest lifetime of a client's tokens. */
  readonly ttlSeconds: number
  /** The longest lifetime of a personal access token. */
  readonly personalTtlSeconds: number
}

/** Bounds of the indexes; the oldest entries, which have most likely expired, are dropped. */
const MOST_OF_PERSON = 1000
const MOST_VISITS = 100
const MOST_OF_CLIENT = 50_000

/** Optimistic-locking retries; concurrent writers are few, so more conflicts indicate a fault. */
const MOST_ATTEMPTS = 20

const clientIndex = (clientId: string) => `client-sessions:{${sha256(clientId)}}`
const INDEXES = {
  client: 'clients',
  personal: 'tokens',
  visit: 'visits',
  asserted: 'assertions',
} as const
const personIndex = (kind: keyof typeof INDEXES, owner: string) =>
  `person-${INDEXES[kind]}:{${owner}}`

export class Authorizations {
  readonly #deps: AuthorizationsDeps
  readonly #options: AuthorizationsOptions

  constructor(deps: AuthorizationsDeps, options: AuthorizationsOptions) {
    this.#deps = deps
    this.#options = options
  }

  read(sessionId: string): Promise<Stored<AuthorizationRecord> | undefined> {
    return this.#deps.store.get<AuthorizationRecord>(authorizationKey(sessionId))
  }

  async readAll(sessionIds: readonly string[]): Promise<readonly Authorization[]> {
    if (sessionIds.length === 0) return []
    const found = await this.#deps.store.getAll(sessionIds.map(authorizationKey))
    return found.flatMap((record, at) => {
      const sessionId = sessionIds[at] ?? ''
      return record === undefined ? [] : [{ ...(record as Stored<AuthorizationRecord>), sessionId }]
    })
  }

  /**
   * Records a consent. One that continues a session adds its scopes, also to those that the person
   * has narrowed the client to.
   */
  async consented(
    sessionId: string,
    { clientId, clientName: name, scopes, isAsked = true }: ConsentedClient,
  ): Promise<void> {
    const { store, sessions, now } = this.#deps
    const { ttlSeconds } = this.#options
    const owner = (await sessions.peek(sessionId))?.owner
    const record: AuthorizationRecord = {
      ...{ kind: 'client', clientId, scopes, since: now() },
      ...(name !== undefined && { name }),
      ...(owner !== undefined && { owner }),
    }
    if (!(await store.create(authorizationKey(sessionId), record, ttlSeconds))) {
      await this.#revise(sessionId, (earlier) => ({
        scopes: union(earlier.scopes, scopes),
        ...(isAsked && earlier.allowed && { allowed: union(earlier.allowed, scopes) }),
        ...(owner !== undefined && { owner }),
      }))
      await this.used(sessionId)
      await this.#copyAllowed(sessionId)
    }
    await this.#index(clientIndex(clientId), sessionId, MOST_OF_CLIENT)
    if (owner !== undefined) {
      await this.#index(personIndex('client', owner), sessionId, MOST_OF_PERSON)
    }
  }

  /**
   * Records a session whose tokens are issued without a consent. `person` is the `personKey` of the
   * subject of an identity assertion.
   */
  async issued(
    sessionId: string,
    client: Omit<ConsentedClient, 'isAsked'>,
    person: string | undefined,
  ): Promise<void> {
    await this.consented(sessionId, { ...client, isAsked: false })
    if (person === undefined) return
    await this.#index(personIndex('asserted', person), sessionId, MOST_OF_PERSON)
  }

  /** Records a personal access token; `ttlSeconds` is its lifetime. */
  async tokenMade(
    sessionId: string,
    record: AuthorizationRecord & { readonly owner: string },
    ttlSeconds: number,
  ): Promise<void> {
    if (!(await this.#deps.store.create(authorizationKey(sessionId), record, ttlSeconds))) {
      throw new Error('Two random tokens were equal')
    }
    const { personalTtlSeconds } = this.#options
    const key = personIndex('personal', record.owner)
    await this.#index(key, sessionId, MOST_OF_PERSON, personalTtlSeconds)
  }

  /** Renews the record of a client while tokens are issued (sliding expiration). */
  async used(sessionId: string): Promise<void> {
    await this.#deps.store.touch(authorizationKey(sessionId), this.#options.ttlSeconds)
  }

  /**
   * Lists a client, or a visit of the account page, under the person who has signed in to its
   * session at the first upstream.
   */
  async signedIn(sessionId: string): Promise<void> {
    const { sessions } = this.#deps
    const [session, record] = await Promise.all([sessions.peek(sessionId), this.read(sessionId)])
    const { owner } = session ?? {}
    if (owner === undefined) return
    if (session?.access === 'page') {
      return this.#index(personIndex('visit', owner), sessionId, MOST_VISITS, VISIT_TTL_SECONDS)
    }
    if (record?.kind !== 'client' || record.owner === owner) return
    await this.#revise(sessionId, () => ({ owner }))
    await this.#index(personIndex('client', owner), sessionId, MOST_OF_PERSON)
  }

  /**
   * Narrows an authorization to some of its scopes, on all nodes from the next call on: the session
   * is read with each call. Scopes beyond those that it has are ignored.
   */
  async narrow(sessionId: string, scopes: readonly string[]): Promise<void> {
    await this.#revise(sessionId, ({ allowed, scopes: all }) => ({
      allowed: (allowed ?? all).filter((scope) => scopes.includes(scope)),
    }))
    await this.#copyAllowed(sessionId)
  }

  /** The live authorizations of a person, newest first. */
  async ofPerson(
    kind: AuthorizationRecord['kind'],
    owner: string,
  ): Promise<readonly Authorization[]> {
    const all = await this.readAll(await this.#sessionsIn(personIndex(kind, owner)))
    return all.filter((each) => each.owner === owner && each.kind === kind)
  }

  /** The sessions of a person's visits of the account page; some may have ended. */
  visitsOf(owner: string): Promise<readonly string[]> {
    return this.#sessionsIn(personIndex('visit', owner))
  }

  /** The sessions of identity assertions about a person; some may have ended. */
  assertedOf(person: string): Promise<readonly string[]> {
    return this.#sessionsIn(personIndex('asserted', person))
  }

  /** The sessions of a client, newest first; some may have ended. */
  ofClient(clientId: string): Promise<readonly string[]> {
    return this.#sessionsIn(clientIndex(clientId))
  }

  /** Writes fields that depend on the record (compare-and-set), if there is one. */
  async #revise(
    sessionId: string,
    fields: (record: AuthorizationRecord) => Partial<AuthorizationRecord>,
  ): Promise<void> {
    const { store } = this.#deps
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const record = await this.read(sessionId)
      if (record === undefined) return
      const options = { ifRev: record.rev }
      const { outcome } = await store.patch(authorizationKey(sessionId), fields(record), options)
      if (outcome === 'written') return
    }
    throw new Error('Too many concurrent changes of the authorization')
  }

  /**
   * Copies the narrowed scopes into the session record, also after a concurrent change. An absent
   * record is recreated from the authorization.
   */
  async #copyAllowed(sessionId: string): Promise<void> {
    const { sessions } = this.#deps
    for (let record = await this.read(sessionId); record?.allowed !== undefined; ) {
      await sessions.update(sessionId, 'allowed', record.allowed).catch(ignoreNotFound)
      const latest = await this.read(sessionId)
      if (latest?.rev === record.rev) return
      record = latest
    }
  }

  async #index(key: string, sessionId: string, maxLength: number, ttl = this.#options.ttlSeconds) {
    const { streams } = this.#deps.store
    await streams.append(key, sessionId, { maxLength, ttlSeconds: ttl })
  }

  async #sessionsIn(key: string): Promise<readonly string[]> {
    const entries = await this.#deps.store.streams.read(key, '0')
    return [...new Set(entries.map(({ value }) => value).reverse())]
  }
}

function union(some: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...some, ...more])]
}

/** Ignores that the session has ended concurrently. */
function ignoreNotFound(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'not_found')) throw error
}
