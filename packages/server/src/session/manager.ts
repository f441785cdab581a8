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

export type SessionManager = ReturnType<typeof createSessionManager>

export function createSessionManager(
  { store, now, onChange = () => undefined }: SessionManagerDeps,
  { ttlSeconds, tokenTtlSeconds = ttlSeconds }: SessionManagerOptions,
) {
  const sliding = new SlidingExpiration({ store, now }, ttlSeconds)

  async function peek(id: string): Promise<Session | undefined> {
    const session = await store.get<SessionRecord>(sessionKey(id))
    return session === undefined || sliding.isOver(session) ? undefined : session
  }

  function use(session: Session): Session | Promise<Session> {
    const using = sliding.use(sessionKey(session.id), session)
    return using === undefined ? session : using.then((stamps) => ({ ...session, ...stamps }))
  }

  async function retrieve(id: string): Promise<Session | undefined> {
    const session = await peek(id)
    return session && use(session)
  }

  return {
    /**
     * Creates an anonymous session.
     * @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then
     */
    create: creator({ store, now, onChange }, sliding, ttlSeconds),
    /**
     * Creates a session with a known id; undefined if the id is in use, or has a tombstone of an
     * ended token session. `issuedAt` is the token's issue time, as Unix time in milliseconds: a
     * token issued after the end may create a new session.
     */
    createWithId: creatorWithId({ store, now, onChange }, sliding, ttlSeconds),
    /** The session, with its TTL renewed (sliding expiration); undefined if unknown or ended. */
    retrieve,
    /** The session, without renewing its TTL. */
    peek,
    /** Renews the TTL of a session that `peek` returned, if due; returns it with the new times. */
    use,
    /** The sliding expiration of records that were read. */
    expiration: sliding,
    /** Whether a token session was ended explicitly rather than expired. */
    hasEnded: async (id: string): Promise<boolean> => (await endOf(store, id)) !== undefined,
    /** Whether the live session `id` has the same owner as the ended token session `endedId`. */
    async inherits(endedId: string, id: string): Promise<boolean> {
      const tombstone = store.get<Tombstone>(tombstoneKey(endedId))
      const [ended, heir] = await Promise.all([tombstone, peek(id)])
      return ended !== undefined && heir !== undefined && isHeirOf(ended, heir)
    },
    /** Whether the session is live; does not renew its TTL. */
    validate: async (id: string): Promise<boolean> => (await peek(id)) !== undefined,
    /**
     * Sets one field, such as `state` or `data.cart`.
     * @throws AppError `not_found` for an ended session
     */
    async update(id: string, field: string, value: unknown): Promise<void> {
      const { outcome } = await store.patch(sessionKey(id), { [field]: value })
      if (outcome === 'absent') throw new AppError('not_found', 'The session has ended.')
    },
    /** Sets the session's time-to-live; false if it has ended. */
    touch: (id: string, seconds: number): Promise<boolean> => store.touch(sessionKey(id), seconds),
    /** Renews the time-to-live (sliding expiration); false if the session has ended. */
    extend: async (id: string): Promise<boolean> => (await retrieve(id)) !== undefined,
    /**
     * Deletes the session and its data; false if it had ended already. A tombstone blocks the id of
     * a token session for the maximum lifetime of its tokens.
     */
    end: createEnd({ store, now, onChange }, peek, Math.max(tokenTtlSeconds, ttlSeconds)),
  }
}

async function endOf(store: Store, id: string): Promise<number | undefined> {
  return (await store.get<Tombstone>(tombstoneKey(id)))?.endedAt
}

function authorizationOf(store: Store, id: string) {
  return store.get<AuthorizationRecord>(authorizationKey(id))
}

function creator(
  { store, now, onChange }: Required<SessionManagerDeps>,
  sliding: SlidingExpiration,
  ttlSeconds: number,
) {
  return async (
    access: SessionAccess,
    client?: ClientFacts,
    { ttlSeconds: firstTtl = ttlSeconds, storage = UNLIMITED }: NewSessionOptions = {},
  ): Promise<Session> => {
    // Until its first use the TTL of the key decides, which is shorter.
    const record = newRecord(createId('ses'), access, client, now(), ttlSeconds)
    if (storage !== UNLIMITED) await storage.spend(documentBytes(record))
    const keySeconds = firstTtl === ttlSeconds ? sliding.keySeconds : firstTtl
    const created = await store.create(sessionKey(record.id), record, keySeconds)
    if (!created) throw new Error('Two random session ids were equal')
    onChange('created')
    return { ...record, rev: 1 }
  }
}

function creatorWithId(
  { store, now, onChange }: Required<SessionManagerDeps>,
  sliding: SlidingExpiration,
  ttlSeconds: number,
) {
  return async (
    id: string,
    access: SessionAccess,
    client?: ClientFacts,
    issuedAt = Number.NEGATIVE_INFINITY,
  ): Promise<Session | undefined> => {
    const [endedBefore, kept] = await Promise.all([endOf(store, id), authorizationOf(store, id)])
    if (endedBefore !== undefined && isFromBefore(issuedAt, endedBefore)) return undefined
    const record = {
      ...newRecord(id, access, client, now(), ttlSeconds),
      ...(endedBefore !== undefined && { endedBefore }),
      ...ownershipOf(kept),
    }
    if (!(await createRecord(store, sliding, record))) return undefined
    // Changed concurrently: `end` writes the tombstone before it deletes, and narrowing writes the
    // authorization before the session, so one side sees the other.
    const [ended, latest] = await Promise.all([endOf(store, id), authorizationOf(store, id)])
    if (ended !== endedBefore) {
      await store.delete(sessionKey(id))
      return undefined
    }
    const changed = latest?.rev === kept?.rev ? {} : ownershipOf(latest)
    if (latest?.rev !== kept?.rev) await store.patch(sessionKey(id), changed)
    onChange('created')
    return { ...record, ...changed, rev: 1 }
  }
}

function createEnd(
  { store, now, onChange }: Required<SessionManagerDeps>,
  peek: (id: string) => Promise<Session | undefined>,
  tombstoneSeconds: number,
) {
  return async (id: string): Promise<boolean> => {
    const [session, authorization] = await Promise.all([peek(id), authorizationOf(store, id)])
    // An idle session has no record: its tokens could recreate it without a tombstone.
    if (session === undefined && authorization === undefined) return false
    const isOfToken = session === undefined || session.access === 'token'
    if (isOfToken) {
      await store.set(tombstoneKey(id), tombstoneOf(session ?? {}, now()), tombstoneSeconds)
    }
    if (authorization !== undefined) await store.delete(authorizationKey(id))
    const ended = await store.delete(sessionKey(id))
    if (isOfToken) await store.delete(keptSignInKey(id))
    if (ended) onChange('ended')
    return ended || authorization !== undefined
  }
}

/** The fields of a session that its authorization restores. */
function ownershipOf(authorization: AuthorizationRecord | undefined) {
  const { owner, allowed } = authorization ?? {}
  return { ...(owner !== undefined && { owner }), ...(allowed !== undefined && { allowed }) }
}

/** Creates the record, also replacing an expired one; false if a live one exists. */
async function createRecord(
  store: Store,
  sliding: SlidingExpiration,
  record: SessionRecord,
): Promise<boolean> {
  const key = sessionKey(record.id)
  const ttlSeconds = sliding.keySeconds
  if (await store.create(key, record, ttlSeconds)) return true
  const found = await store.get<SessionRecord>(key)
  if (found === undefined || !sliding.isOver(found)) return false
  const { rev: ifRev, ...fields } = found
  const nothing = Object.fromEntries(Object.keys(fields).map((name) => [name, undefined]))
  const { outcome } = await store.patch(key, { ...nothing, ...record }, { ifRev, ttlSeconds })
  return outcome === 'written'
}

/**
 * Whether a token was issued before a session was ended. `iat` may have a resolution of seconds
 * (RFC 7519, 4.1.6): the same second counts as before.
 */
export function isFromBefore(issuedAt: number, endedAt: number): boolean {
  return Math.floor(issuedAt / 1000) <= Math.floor(endedAt / 1000)
}
