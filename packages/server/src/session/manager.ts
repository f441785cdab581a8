/** Sessions: made, found, changed, extended and ended. Any node can do each of it. */

import { createId } from '../crypto/random-id.ts'
import { AppError } from '../errors.ts'
import { CLIENT_TEXT_BYTES } from '../mcp/client-facts.ts'
import type { ClientFacts } from '../mcp/origin.ts'
import type { Store } from '../store/port.ts'
import { createSlide } from '../store/slide.ts'
import { documentBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import { cutToBytes } from '../store/text-bytes.ts'
import {
  keptSignInKey,
  SESSION_SCHEMA,
  type Session,
  type SessionAccess,
  type SessionRecord,
  sessionKey,
} from './record.ts'
import { isHeirOf, type Tombstone, tombstoneKey, tombstoneOf } from './tombstone.ts'

export interface SessionManager {
  /**
   * A new anonymous session.
   * @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then
   */
  create(access: SessionAccess, client?: ClientFacts, options?: NewSessionOptions): Promise<Session>
  /**
   * The same with a known id; undefined when that id is taken, or belonged to a session of tokens
   * that was ended. `issuedAt` (Unix time in milliseconds) is that of the token that asks: one
   * issued after the end brings a new session.
   */
  createWithId(
    id: string,
    access: SessionAccess,
    client?: ClientFacts,
    issuedAt?: number,
  ): Promise<Session | undefined>
  /** The session, its time-to-live slid on; undefined when it is unknown or has ended. */
  retrieve(id: string): Promise<Session | undefined>
  /** The session without counting as use. */
  peek(id: string): Promise<Session | undefined>
  /** Counts a look at the session as use after all; gives it with its new times. */
  use(session: Session): Promise<Session>
  /** Whether the session is alive; does not count as use. */
  validate(id: string): Promise<boolean>
  /** Whether a session of tokens was ended, rather than left to expire. */
  hasEnded(id: string): Promise<boolean>
  /** Whether a live session belongs to whom a session of tokens did that was ended. */
  inherits(endedId: string, id: string): Promise<boolean>
  /** Sets one field, such as `state` or `data.cart`. Throws `not_found` for an ended session. */
  update(id: string, field: string, value: unknown): Promise<void>
  /** Gives the session this time-to-live; false when it has ended. */
  touch(id: string, ttlSeconds: number): Promise<boolean>
  /** Slides the time-to-live on; false when the session has ended. */
  extend(id: string): Promise<boolean>
  /**
   * Forgets the session and all it held; false when it had ended before. The id of a session of
   * tokens stays dead for as long as any of its tokens may live.
   */
  end(id: string): Promise<boolean>
}

export interface NewSessionOptions {
  /** Its first time-to-live; that of every session if left out. */
  readonly ttlSeconds?: number
  /** What the record counts for. */
  readonly storage?: StorageBudget
}

export interface SessionManagerOptions {
  readonly ttlSeconds: number
  /** How long any access or refresh token may live, in seconds; as long as sessions if left out. */
  readonly tokenTtlSeconds?: number
}

export interface SessionManagerDeps {
  readonly store: Store
  /** Unix time in milliseconds. */
  readonly now: () => number
  /** Hears of what this node does to sessions. */
  readonly onChange?: (change: 'created' | 'ended') => void
}

/** `lastActiveAt` is written this often at most, but for short sessions: what counts is the store's expiry. */
const STAMP_EVERY_MS = 60_000

export function createSessionManager(
  { store, now, onChange = () => undefined }: SessionManagerDeps,
  { ttlSeconds, tokenTtlSeconds = ttlSeconds }: SessionManagerOptions,
): SessionManager {
  const use = createUse({ store, now }, ttlSeconds)
  const endOf = async (id: string) => (await store.get<Tombstone>(tombstoneKey(id)))?.endedAt

  async function createWithId(
    id: string,
    access: SessionAccess,
    client?: ClientFacts,
    issuedAt = Number.NEGATIVE_INFINITY,
  ): Promise<Session | undefined> {
    const endedBefore = await endOf(id)
    if (endedBefore !== undefined && isFromBefore(issuedAt, endedBefore)) return undefined
    const record = {
      ...newRecord(id, access, client, now(), ttlSeconds),
      ...(endedBefore !== undefined && { endedBefore }),
    }
    if (!(await store.create(sessionKey(id), record, ttlSeconds))) return undefined
    // Ended meanwhile: the tombstone comes before the deletion, so that one of us sees the other.
    if ((await endOf(id)) !== endedBefore) {
      await store.delete(sessionKey(id))
      return undefined
    }
    onChange('created')
    return { ...record, rev: 1 }
  }

  async function end(id: string): Promise<boolean> {
    const session = await store.get<SessionRecord>(sessionKey(id))
    if (session === undefined) return false
    if (session.access === 'token') {
      const seconds = Math.max(tokenTtlSeconds, ttlSeconds)
      await store.set(tombstoneKey(id), tombstoneOf(session, now()), seconds)
    }
    const ended = await store.delete(sessionKey(id))
    if (session.access === 'token') await store.delete(keptSignInKey(id))
    if (ended) onChange('ended')
    return ended
  }

  const peek = (id: string) => store.get<SessionRecord>(sessionKey(id))

  async function retrieve(id: string): Promise<Session | undefined> {
    const session = await peek(id)
    return session && use(session)
  }

  return {
    async create(access, client, { ttlSeconds: firstTtl = ttlSeconds, storage = UNLIMITED } = {}) {
      const record = newRecord(createId('ses'), access, client, now(), firstTtl)
      if (storage !== UNLIMITED) await storage.spend(documentBytes(record))
      const created = await store.create(sessionKey(record.id), record, firstTtl)
      if (!created) throw new Error('Two random session ids were equal')
      onChange('created')
      return { ...record, rev: 1 }
    },
    createWithId,
    retrieve,
    peek,
    use,
    hasEnded: async (id) => (await endOf(id)) !== undefined,
    inherits: createInherits(store),
    validate: async (id) => (await peek(id)) !== undefined,
    async update(id, field, value) {
      const { outcome } = await store.patch(sessionKey(id), { [field]: value })
      if (outcome === 'absent') throw new AppError('not_found', 'The session has ended.')
    },
    touch: (id, seconds) => store.touch(sessionKey(id), seconds),
    extend: async (id) => (await retrieve(id)) !== undefined,
    end,
  }
}

function createInherits(store: Store): SessionManager['inherits'] {
  return async (endedId, id) => {
    const [ended, heir] = await Promise.all([
      store.get<Tombstone>(tombstoneKey(endedId)),
      store.get<SessionRecord>(sessionKey(id)),
    ])
    return ended !== undefined && heir !== undefined && isHeirOf(ended, heir)
  }
}

/** Slides the time-to-live on, and stamps the record now and then. */
function createUse(
  { store, now }: Pick<SessionManagerDeps, 'store' | 'now'>,
  ttlSeconds: number,
): SessionManager['use'] {
  const slide = createSlide({ store, now }, ttlSeconds)
  // `expiresAt` is written with it, and must not lie for long.
  const stampEveryMs = Math.min(STAMP_EVERY_MS, (ttlSeconds * 1000) / 4)
  return async (session) => {
    const key = sessionKey(session.id)
    await slide(key)
    const times = { lastActiveAt: now(), expiresAt: now() + ttlSeconds * 1000 }
    if (times.lastActiveAt - session.lastActiveAt > stampEveryMs) {
      await store.patch(key, times).catch(ifUnavailable)
    }
    return { ...session, ...times }
  }
}

/**
 * Whether a token was issued before a session was ended, or in the same second: `iat` knows no less
 * (RFC 7519, 4.1.6), and in doubt it was.
 */
export function isFromBefore(issuedAt: number, endedAt: number): boolean {
  return Math.floor(issuedAt / 1000) <= Math.floor(endedAt / 1000)
}

/** A store that is full still reads, and slides on: what is not stamped can be used all the same. */
function ifUnavailable(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'unavailable')) throw error
}

function newRecord(
  id: string,
  access: SessionAccess,
  client: ClientFacts | undefined,
  now: number,
  ttlSeconds: number,
): SessionRecord {
  return {
    schema: SESSION_SCHEMA,
    id,
    access,
    state: 'anonymous',
    connectedAt: now,
    lastActiveAt: now,
    expiresAt: now + ttlSeconds * 1000,
    data: {},
    credentials: {},
    client: cutFacts(client ?? {}),
  }
}

/** Clients choose their names, and registered ones may have a long one. */
function cutFacts({ clientName, ...facts }: ClientFacts): ClientFacts {
  return clientName === undefined
    ? facts
    : { ...facts, clientName: cutToBytes(clientName, CLIENT_TEXT_BYTES) }
}
