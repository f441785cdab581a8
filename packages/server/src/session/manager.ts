/** Creates, finds, updates, renews (sliding expiration) and ends sessions, on any node. */

import { createId } from '../crypto/random-id.ts'
import { AppError } from '../errors.ts'
import type { ClientFacts } from '../mcp/request-context.ts'
import type { Store } from '../store/port.ts'
import { SlidingExpiration } from '../store/sliding-expiration.ts'
import { documentBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import {
  type AuthorizationRecord,
  authorizationKey,
  keptSignInKey,
  newRecord,
  type Session,
  type SessionAccess,
  type SessionRecord,
  sessionKey,
} from './record.ts'
import { isHeirOf, type Tombstone, tombstoneKey, tombstoneOf } from './tombstone.ts'

export interface NewSessionOptions {
  /** The initial time-to-live; the manager's `ttlSeconds` if left out. */
  readonly ttlSeconds?: number
  /** The storage budget that the record is charged to. */
  readonly storage?: StorageBudget
}

export interface SessionManagerOptions {
  readonly ttlSeconds: number
  /** Maximum lifetime of access and refresh tokens, in seconds; that of sessions if left out. */
  readonly tokenTtlSeconds?: number
}

export interface SessionManagerDeps {
  readonly store: Store
  /** Unix time in milliseconds. */
  readonly now: () => number
  /** Called when this node creates or ends a session. */
  readonly onChange?: (change: 'created' | 'ended') => void
}

export class SessionManager {
  /** The sliding expiration of records that were read. */
  readonly expiration: SlidingExpiration
  readonly #store: Store
  readonly #now: () => number
  readonly #onChange: NonNullable<SessionManagerDeps['onChange']>
  readonly #ttlSeconds: number
  readonly #tombstoneSeconds: number

  constructor(
    { store, now, onChange = () => undefined }: SessionManagerDeps,
    { ttlSeconds, tokenTtlSeconds = ttlSeconds }: SessionManagerOptions,
  ) {
    this.expiration = new SlidingExpiration({ store, now }, ttlSeconds)
    this.#store = store
    this.#now = now
    this.#onChange = onChange
    this.#ttlSeconds = ttlSeconds
    this.#tombstoneSeconds = Math.max(tokenTtlSeconds, ttlSeconds)
  }

  /**
   * Creates an anonymous session.
   * @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then
   */
  async create(
    access: SessionAccess,
    client?: ClientFacts,
    { ttlSeconds = this.#ttlSeconds, storage = UNLIMITED }: NewSessionOptions = {},
  ): Promise<Session> {
    // Until its first use the TTL of the key decides, which is shorter.
    const record = newRecord(createId('ses'), access, client, this.#now(), this.#ttlSeconds)
    if (storage !== UNLIMITED) await storage.spend(documentBytes(record))
    const { keySeconds: slidingSeconds } = this.expiration
    const keySeconds = ttlSeconds === this.#ttlSeconds ? slidingSeconds : ttlSeconds
    const created = await this.#store.create(sessionKey(record.id), record, keySeconds)
    if (!created) throw new Error('Two random session ids were equal')
    this.#onChange('created')
    return { ...record, rev: 1 }
  }

  /**
   * Creates a session with a known id; undefined if the id is in use, or has a tombstone of an
   * ended token session. `issuedAt` is the token's issue time, as Unix time in milliseconds: a
   * token issued after the end may create a new session.
   */
  async createWithId(
    id: string,
    access: SessionAccess,
    client?: ClientFacts,
    issuedAt = Number.NEGATIVE_INFINITY,
  ): Promise<Session | undefined> {
    const [endedBefore, kept] = await this.#endAndAuthorization(id)
    if (endedBefore !== undefined && isFromBefore(issuedAt, endedBefore)) return undefined
    const record = {
      ...newRecord(id, access, client, this.#now(), this.#ttlSeconds),
      ...(endedBefore !== undefined && { endedBefore }),
      ...ownershipOf(kept),
    }
    if (!(await this.#createRecord(record))) return undefined
    // Changed concurrently: `end` writes the tombstone before it deletes, and narrowing writes the
    // authorization before the session, so one side sees the other.
    const [ended, latest] = await this.#endAndAuthorization(id)
    if (ended !== endedBefore) {
      await this.#store.delete(sessionKey(id))
      return undefined
    }
    const changed = latest?.rev === kept?.rev ? {} : ownershipOf(latest)
    if (latest?.rev !== kept?.rev) await this.#store.patch(sessionKey(id), changed)
    this.#onChange('created')
    return { ...record, ...changed, rev: 1 }
  }

  /** The session, with its TTL renewed (sliding expiration); undefined if unknown or ended. */
  async retrieve(id: string): Promise<Session | undefined> {
    const session = await this.peek(id)
    return session && this.use(session)
  }

  /** The session, without renewing its TTL. */
  async peek(id: string): Promise<Session | undefined> {
    const session = await this.#store.get<SessionRecord>(sessionKey(id))
    return session === undefined || this.expiration.isOver(session) ? undefined : session
  }

  /** Renews the TTL of a session that `peek` returned, if due; returns it with the new times. */
  use(session: Session): Session | Promise<Session> {
    const using = this.expiration.use(sessionKey(session.id), session)
    return using === undefined ? session : using.then((stamps) => ({ ...session, ...stamps }))
  }

  /** Whether a token session was ended explicitly rather than expired. */
  async hasEnded(id: string): Promise<boolean> {
    return (await this.#endOf(id)) !== undefined
  }

  /** Whether the live session `id` has the same owner as the ended token session `endedId`. */
  async inherits(endedId: string, id: string): Promise<boolean> {
    const tombstone = this.#store.get<Tombstone>(tombstoneKey(endedId))
    const [ended, heir] = await Promise.all([tombstone, this.peek(id)])
    return ended !== undefined && heir !== undefined && isHeirOf(ended, heir)
  }

  /** Whether the session is live; does not renew its TTL. */
  async validate(id: string): Promise<boolean> {
    return (await this.peek(id)) !== undefined
  }

  /**
   * Sets one field, such as `state` or `data.cart`.
   * @throws AppError `not_found` for an ended session
   */
  async update(id: string, field: string, value: unknown): Promise<void> {
    const { outcome } = await this.#store.patch(sessionKey(id), { [field]: value })
    if (outcome === 'absent') throw new AppError('not_found', 'The session has ended.')
  }

  /** Sets the session's time-to-live; false if it has ended. */
  touch(id: string, seconds: number): Promise<boolean> {
    return this.#store.touch(sessionKey(id), seconds)
  }

  /** Renews the time-to-live (sliding expiration); false if the session has ended. */
  async extend(id: string): Promise<boolean> {
    return (await this.retrieve(id)) !== undefined
  }

  /**
   * Deletes the session and its data; false if it had ended already. A tombstone blocks the id of
   * a token session for the maximum lifetime of its tokens.
   */
  async end(id: string): Promise<boolean> {
    const [session, authorization] = await Promise.all([this.peek(id), this.#authorizationOf(id)])
    // An idle session has no record: its tokens could recreate it without a tombstone.
    if (session === undefined && authorization === undefined) return false
    const isOfToken = session === undefined || session.access === 'token'
    if (isOfToken) {
      const tombstone = tombstoneOf(session ?? {}, this.#now())
      await this.#store.set(tombstoneKey(id), tombstone, this.#tombstoneSeconds)
    }
    if (authorization !== undefined) await this.#store.delete(authorizationKey(id))
    const ended = await this.#store.delete(sessionKey(id))
    if (isOfToken) await this.#store.delete(keptSignInKey(id))
    if (ended) this.#onChange('ended')
    return ended || authorization !== undefined
  }

  /** Creates the record, also replacing an expired one; false if a live one exists. */
  async #createRecord(record: SessionRecord): Promise<boolean> {
    const key = sessionKey(record.id)
    const ttlSeconds = this.expiration.keySeconds
    if (await this.#store.create(key, record, ttlSeconds)) return true
    const found = await this.#store.get<SessionRecord>(key)
    if (found === undefined || !this.expiration.isOver(found)) return false
    const { rev: ifRev, ...fields } = found
    const nothing = Object.fromEntries(Object.keys(fields).map((name) => [name, undefined]))
    const changes = { ...nothing, ...record }
    const { outcome } = await this.#store.patch(key, changes, { ifRev, ttlSeconds })
    return outcome === 'written'
  }

  #endAndAuthorization(id: string) {
    return Promise.all([this.#endOf(id), this.#authorizationOf(id)])
  }

  async #endOf(id: string): Promise<number | undefined> {
    return (await this.#store.get<Tombstone>(tombstoneKey(id)))?.endedAt
  }

  #authorizationOf(id: string) {
    return this.#store.get<AuthorizationRecord>(authorizationKey(id))
  }
}

/** The fields of a session that its authorization restores. */
function ownershipOf(authorization: AuthorizationRecord | undefined) {
  const { owner, allowed } = authorization ?? {}
  return { ...(owner !== undefined && { owner }), ...(allowed !== undefined && { allowed }) }
}

/**
 * Whether a token was issued before a session was ended. `iat` may have a resolution of seconds
 * (RFC 7519, 4.1.6): the same second counts as before.
 */
export function isFromBefore(issuedAt: number, endedAt: number): boolean {
  return Math.floor(issuedAt / 1000) <= Math.floor(endedAt / 1000)
}
