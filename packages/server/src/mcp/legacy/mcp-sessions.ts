/**
 * MCP sessions of the 2025 era (`Mcp-Session-Id`), stored so that any node can serve them: no
 * sticky sessions. From their first use they have the TTL of sessions, with sliding expiration.
 */

import type { RequestId } from '@modelcontextprotocol/server'
import { createLruCache } from '../../store/lru-cache.ts'
import type { Changes, Store } from '../../store/port.ts'
import { documentBytes } from '../../store/storage-budget.ts'
import { checkSubscriptionCount } from '../bounds.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import {
  createExpirations,
  type McpSession,
  type McpSessionRecord,
  mcpSessionEnded,
  mcpSessionKey,
  type NewMcpSession,
  ownStreamKey,
  recordOf,
} from './mcp-session-record.ts'

type Change = Partial<Omit<McpSessionRecord, 'id' | 'schema'>>

interface McpSessionDeps {
  readonly store: Store
  readonly node: Pick<ClusterNode, 'send'>
  /** Unix time in milliseconds. */
  readonly now: () => number
  readonly sessions: {
    /** Sets the TTL of a session; returns false if it has ended. */
    touch(id: string, ttlSeconds: number): Promise<boolean>
    /** Whether a live session has the same owner as an ended one. */
    inherits(endedId: string, id: string): Promise<boolean>
  }
}

export interface McpSessionTimes {
  readonly ttlSeconds: number
  /** TTL of an anonymous MCP session and its session until the first request after `initialize`. */
  readonly unusedTtlSeconds: number
}

export class McpSessions {
  readonly #deps: McpSessionDeps
  readonly #unused: ReturnType<typeof createUnusedMcpSessions>
  readonly #slidingOf: ReturnType<typeof createExpirations>

  constructor(deps: McpSessionDeps, times: McpSessionTimes) {
    this.#deps = deps
    this.#unused = createUnusedMcpSessions(deps, times)
    this.#slidingOf = createExpirations(deps, times.ttlSeconds)
  }

  /** @throws AppError `too_many_requests` if `storage` is exhausted, before anything is stored */
  async create({ storage, ...given }: NewMcpSession): Promise<McpSessionRecord> {
    const { store } = this.#deps
    const record = recordOf(given)
    await storage?.spend(documentBytes(record))
    const sliding = this.#slidingOf(record)
    const stamped = { ...record, ...sliding.stamps() }
    if (record.needsToken) await store.set(mcpSessionKey(record.id), stamped, sliding.keySeconds)
    else await this.#unused.create(stamped)
    return stamped
  }

  /** Returns the MCP session without renewing its TTL. */
  peek(id: string): Promise<McpSession | undefined> {
    return this.#deps.store.get<McpSessionRecord>(mcpSessionKey(id))
  }

  /** Returns the MCP session and renews its TTL; undefined if it is unknown or has ended. */
  async retrieve(id: string): Promise<McpSession | undefined> {
    const mcpSession = await this.peek(id)
    if (mcpSession === undefined) return undefined
    const isUsed = mcpSession.needsToken || (await this.#unused.isUsed(mcpSession, false))
    return isUsed ? this.#renewed(mcpSession) : mcpSession
  }

  /**
   * Verifies the owner of an MCP session, to prevent session hijacking, and renews its TTL. One
   * created with a token belongs to the token's session; one created without accepts no token.
   * When its session has ended, it joins the owner's next one: clients keep their
   * `Mcp-Session-Id` when they authorize again, and treat 404 as final. An anonymous one is
   * unused until its first request (`isRequest`); nothing else renews its TTL until then.
   * @throws AppError `not_found` alike if there is none and if the caller is not its owner
   */
  use(
    mcpSession: McpSession | undefined,
    caller: Pick<TokenSession, 'id'> | undefined,
    isRequest: boolean,
  ): McpSession | Promise<McpSession> {
    if (mcpSession === undefined || mcpSession.needsToken !== (caller !== undefined)) {
      throw mcpSessionEnded()
    }
    if (caller === undefined) return this.#useAnonymous(mcpSession, isRequest)
    if (mcpSession.sessionId === caller.id) return this.#renewed(mcpSession)
    return this.#inherit(mcpSession, caller.id).then((inherited) => this.#renewed(inherited))
  }

  #useAnonymous(mcpSession: McpSession, isRequest: boolean): McpSession | Promise<McpSession> {
    const isUsed = this.#unused.isUsed(mcpSession, isRequest)
    if (isUsed === true) return this.#renewed(mcpSession)
    return Promise.resolve(isUsed).then((used) => (used ? this.#renewed(mcpSession) : mcpSession))
  }

  #renewed(found: McpSession): McpSession | Promise<McpSession> {
    const renewing = this.#slidingOf(found).use(mcpSessionKey(found.id), found)
    return renewing === undefined ? found : renewing.then(() => found)
  }

  /** Moves to the caller's session if its own has ended; drops its subscriptions and calls. */
  async #inherit({ id, sessionId }: McpSession, callerId: string): Promise<McpSession> {
    if (!(await this.#deps.sessions.inherits(sessionId, callerId))) throw mcpSessionEnded()
    return this.revise(id, () => ({ sessionId: callerId, subscriptions: [], calls: {} }))
  }

  /**
   * Renews the TTL of an unused MCP session whose stream is open. Returns false once it is used or
   * has ended.
   */
  renewUnused(id: string): Promise<boolean> {
    return this.#unused.renew(id)
  }

  /**
   * Sets fields of the MCP session.
   * @throws AppError `not_found` if it has ended
   */
  update(id: string, change: Change): Promise<void> {
    return this.#patch(id, change)
  }

  /**
   * Compare-and-set update: calls `revision` again if another writer came first.
   * @throws AppError `not_found` if it has ended
   */
  async revise(id: string, revision: (mcpSession: McpSession) => Change): Promise<McpSession> {
    const { store } = this.#deps
    for (;;) {
      const mcpSession = await this.peek(id)
      if (mcpSession === undefined) throw mcpSessionEnded()
      const change = revision(mcpSession)
      const { outcome } = await store.patch(mcpSessionKey(id), change, { ifRev: mcpSession.rev })
      if (outcome === 'absent') throw mcpSessionEnded()
      if (outcome === 'written') return { ...mcpSession, ...change } as McpSession
    }
  }

  /**
   * Subscribes to updates of a resource, or unsubscribes, and notifies the holder of the stream.
   * @throws AppError `invalid_params` for too many subscriptions
   */
  async subscribe(id: string, uri: string, wanted: boolean): Promise<void> {
    const { holder } = await this.revise(id, ({ subscriptions }) => {
      const others = subscriptions.filter((each) => each !== uri)
      const wantedUris = wanted ? [...others, uri] : others
      if (wanted) checkSubscriptionCount(wantedUris.length)
      return { subscriptions: wantedUris }
    })
    await this.#notifyHolder(id, holder)
  }

  /** Records a running HTTP+SSE request and notifies the node that holds the stream. */
  async callBegins(id: string, name: string, requestId: RequestId): Promise<void> {
    await this.#patch(id, { [`calls.${name}`]: requestId })
    // Reads the holder after the write: a later holder finds the call in the record.
    const latest = await this.peek(id)
    await this.#notifyHolder(id, latest?.holder)
  }

  async callEnds(id: string, name: string): Promise<void> {
    await this.#deps.store.patch(mcpSessionKey(id), { [`calls.${name}`]: undefined })
  }

  /** Returns false if it has ended before. */
  async end(id: string): Promise<boolean> {
    const deleting = this.#deps.store.delete(mcpSessionKey(id))
    const [ended] = await Promise.all([deleting, this.#unused.forget(id)])
    return ended
  }

  async #patch(id: string, changes: Changes): Promise<void> {
    const { outcome } = await this.#deps.store.patch(mcpSessionKey(id), changes)
    if (outcome === 'absent') throw mcpSessionEnded()
  }

  /** Notifies the node that holds the stream to read the MCP session again. */
  async #notifyHolder(id: string, holder: string | null | undefined): Promise<void> {
    if (holder) await this.#deps.node.send(holder, { kind: 'news', stream: ownStreamKey(id) })
  }
}

/** The marker outlives its MCP session: a missing marker means that it is used. */
const MARGIN_SECONDS = 5
/** LRU bound, about 100 bytes an entry; an evicted entry costs one read of the store. */
const MOST_KNOWN_USED = 20_000

type AnonymousMcpSession = Pick<McpSessionRecord, 'id' | 'sessionId'>

/**
 * Unused anonymous MCP sessions: each has a marker key, which its first request deletes, on any
 * node. Until then the MCP session and its session have a short TTL, renewed while a stream is
 * open.
 */
function createUnusedMcpSessions(
  { store, sessions }: Pick<McpSessionDeps, 'store' | 'sessions'>,
  { ttlSeconds, unusedTtlSeconds }: McpSessionTimes,
) {
  /** LRU cache of used MCP sessions; a used one never becomes unused. */
  const knownUsed = createLruCache<true>(MOST_KNOWN_USED)
  const markerKey = (id: string) => `{${id}}:unused`
  const markerSeconds = unusedTtlSeconds + MARGIN_SECONDS

  async function renewFor({ id, sessionId }: AnonymousMcpSession, seconds: number): Promise<void> {
    await Promise.all([store.touch(mcpSessionKey(id), seconds), sessions.touch(sessionId, seconds)])
  }

  async function readUsed(mcpSession: AnonymousMcpSession, isRequest: boolean): Promise<boolean> {
    const { id } = mcpSession
    if (!isRequest && (await store.get(markerKey(id))) !== undefined) return false
    if (isRequest && (await store.delete(markerKey(id)))) await renewFor(mcpSession, ttlSeconds)
    knownUsed.set(id, true)
    return true
  }

  return {
    async create(record: McpSessionRecord): Promise<void> {
      await store.set(markerKey(record.id), {}, markerSeconds)
      await store.set(mcpSessionKey(record.id), record, unusedTtlSeconds)
    },
    /** Whether the MCP session is used; a request (`isRequest`) makes it so. */
    isUsed: (mcpSession: AnonymousMcpSession, isRequest: boolean): boolean | Promise<boolean> =>
      knownUsed.get(mcpSession.id) === true || readUsed(mcpSession, isRequest),
    /** Deletes the marker of an MCP session that ends. */
    forget: (id: string) => store.delete(markerKey(id)),
    async renew(id: string): Promise<boolean> {
      const mcpSession = await store.get<McpSessionRecord>(mcpSessionKey(id))
      if (mcpSession === undefined || (await store.get(markerKey(id))) === undefined) return false
      await renewFor(mcpSession, unusedTtlSeconds)
      if (await store.touch(markerKey(id), markerSeconds)) return true
      // Race: the first request came in between; restores the TTL that it set.
      await renewFor(mcpSession, ttlSeconds)
      return false
    },
  }
}
