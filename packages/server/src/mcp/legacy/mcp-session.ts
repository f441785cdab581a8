/** MCP sessions of the 2025 era (`Mcp-Session-Id`), stored so that any node can serve them. */

import type { RequestId } from '@modelcontextprotocol/server'
import type { Changes, Store } from '../../store/port.ts'
import { SlidingExpiration } from '../../store/sliding-expiration.ts'
import { documentBytes } from '../../store/storage-budget.ts'
import { checkSubscriptionCount } from '../bounds.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import {
  type McpSession,
  type McpSessionRecord,
  mcpSessionEnded,
  mcpSessionKey,
  type NewMcpSession,
  ownStreamKey,
  recordOf,
} from './mcp-session-record.ts'
import { createUnusedMcpSessions } from './unused-mcp-sessions.ts'

type Change = Partial<Omit<McpSessionRecord, 'id' | 'schema'>>

export interface McpSessions {
  /** @throws AppError `too_many_requests` if `storage` is exhausted, before anything is stored */
  create(mcpSession: NewMcpSession): Promise<McpSessionRecord>
  /** Returns the MCP session and renews its TTL; undefined if it is unknown or has ended. */
  retrieve(id: string): Promise<McpSession | undefined>
  /** Returns the MCP session without renewing its TTL. */
  peek(id: string): Promise<McpSession | undefined>
  /**
   * Verifies the owner of an MCP session, to prevent session hijacking, and renews its TTL. One
   * created with a token belongs to the token's session; one created without accepts no token. When
   * its session has ended, it joins the owner's next one: clients keep their `Mcp-Session-Id` when
   * they authorize again, and treat 404 as final. An anonymous one is unused until its first
   * request (`isRequest`); nothing else renews its TTL until then.
   * @throws AppError `not_found` if there is none or the caller is not its owner: indistinguishable
   */
  use(
    mcpSession: McpSession | undefined,
    caller: Pick<TokenSession, 'id'> | undefined,
    isRequest: boolean,
  ): McpSession | Promise<McpSession>
  /**
   * Renews the TTL of an unused MCP session whose stream is open; returns false once it is used or
   * has ended.
   */
  renewUnused(id: string): Promise<boolean>
  /** Sets fields of the MCP session. Throws `not_found` if it has ended. */
  update(id: string, change: Change): Promise<void>
  /** Compare-and-set update: calls `revision` again if another writer came first. */
  revise(id: string, revision: (mcpSession: McpSession) => Change): Promise<McpSession>
  /**
   * Subscribes to updates of a resource, or unsubscribes, and notifies the holder of the stream.
   * @throws AppError `invalid_params` for too many subscriptions
   */
  subscribe(id: string, uri: string, wanted: boolean): Promise<void>
  /** Records a running HTTP+SSE request and notifies the node that holds the stream. */
  callBegins(id: string, name: string, requestId: RequestId): Promise<void>
  callEnds(id: string, name: string): Promise<void>
  /** Returns false if it has ended before. */
  end(id: string): Promise<boolean>
}

export interface McpSessionDeps {
  readonly store: Store
  readonly node: ClusterNode
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

/** MCP sessions have the TTL of sessions, with sliding expiration, from their first use. */
export function createMcpSessions(deps: McpSessionDeps, times: McpSessionTimes): McpSessions {
  const { store, node } = deps
  const unused = createUnusedMcpSessions(deps, times)
  // The TTL of the key decides: nodes of the last release renew it without writing stamps.
  const sliding = new SlidingExpiration(deps, times.ttlSeconds)

  const peek = (id: string) => store.get<McpSessionRecord>(mcpSessionKey(id))
  const { revise, update } = createWriters(store, peek)

  /** Notifies the node that holds the stream to read the MCP session again. */
  async function notifyHolder(id: string, holder: string | null | undefined): Promise<void> {
    if (holder) await node.send(holder, { kind: 'news', stream: ownStreamKey(id) })
  }

  function renewed(mcpSession: McpSession): McpSession | Promise<McpSession> {
    const renewing = sliding.use(mcpSessionKey(mcpSession.id), mcpSession)
    return renewing === undefined ? mcpSession : renewing.then(() => mcpSession)
  }

  return {
    async create({ storage, ...given }) {
      const record = recordOf(given)
      await storage?.spend(documentBytes(record))
      const stamped = { ...record, ...sliding.stamps() }
      if (record.needsToken) {
        await store.set(mcpSessionKey(record.id), stamped, sliding.keySeconds)
      } else {
        await unused.create(stamped)
      }
      return stamped
    },
    peek,
    async retrieve(id) {
      const mcpSession = await peek(id)
      if (mcpSession === undefined) return undefined
      const isUsed = mcpSession.needsToken || (await unused.isUsed(mcpSession, false))
      if (isUsed) await sliding.use(mcpSessionKey(id), mcpSession)
      return mcpSession
    },
    use(mcpSession, caller, isRequest) {
      if (mcpSession === undefined || mcpSession.needsToken !== (caller !== undefined)) {
        throw mcpSessionEnded()
      }
      if (caller === undefined) {
        const isUsed = unused.isUsed(mcpSession, isRequest)
        if (isUsed === true) return renewed(mcpSession)
        return Promise.resolve(isUsed).then((used) => (used ? renewed(mcpSession) : mcpSession))
      }
      if (mcpSession.sessionId === caller.id) return renewed(mcpSession)
      return inherited(mcpSession, caller, deps, revise).then(renewed)
    },
    renewUnused: unused.renew,
    update,
    revise,
    async subscribe(id, uri, wanted) {
      const { holder } = await revise(id, ({ subscriptions }) => {
        const others = subscriptions.filter((each) => each !== uri)
        const wantedUris = wanted ? [...others, uri] : others
        if (wanted) checkSubscriptionCount(wantedUris.length)
        return { subscriptions: wantedUris }
      })
      await notifyHolder(id, holder)
    },
    async callBegins(id, name, requestId) {
      await update(id, { [`calls.${name}`]: requestId })
      // Reads the holder after the write: a later holder finds the call in the record.
      await notifyHolder(id, (await peek(id))?.holder)
    },
    async callEnds(id, name) {
      await store.patch(mcpSessionKey(id), { [`calls.${name}`]: undefined })
    },
    async end(id) {
      const [ended] = await Promise.all([store.delete(mcpSessionKey(id)), unused.forget(id)])
      return ended
    },
  }
}

/** Moves to the caller's session if its own has ended; drops its subscriptions and calls. */
async function inherited(
  { id, sessionId }: McpSession,
  caller: Pick<TokenSession, 'id'>,
  { sessions }: Pick<McpSessionDeps, 'sessions'>,
  revise: McpSessions['revise'],
): Promise<McpSession> {
  if (!(await sessions.inherits(sessionId, caller.id))) throw mcpSessionEnded()
  return revise(id, () => ({ sessionId: caller.id, subscriptions: [], calls: {} }))
}

/** Writes to an MCP session that exists. */
function createWriters(
  store: Store,
  peek: McpSessions['peek'],
): Pick<McpSessions, 'revise' | 'update'> {
  async function revise(
    id: string,
    revision: (mcpSession: McpSession) => Change,
  ): Promise<McpSession> {
    for (;;) {
      const mcpSession = await peek(id)
      if (mcpSession === undefined) throw mcpSessionEnded()
      const change = revision(mcpSession)
      const options = { ifRev: mcpSession.rev }
      const { outcome } = await store.patch(mcpSessionKey(id), change, options)
      if (outcome === 'absent') throw mcpSessionEnded()
      if (outcome === 'written') return { ...mcpSession, ...change } as McpSession
    }
  }

  async function update(id: string, change: Changes): Promise<void> {
    const { outcome } = await store.patch(mcpSessionKey(id), change)
    if (outcome === 'absent') throw mcpSessionEnded()
  }

  return { revise, update }
}
