/** A 2025-era connection: what its `initialize` said and asked for since, kept so that any node can serve it. */

import type { InitializeRequest, LoggingLevel, RequestId } from '@modelcontextprotocol/server'
import { createId } from '../../crypto/random-id.ts'
import { AppError } from '../../errors.ts'
import type { Changes, Store, Stored } from '../../store/port.ts'
import { SlidingExpiration } from '../../store/sliding-expiration.ts'
import { documentBytes, type StorageBudget } from '../../store/storage-budget.ts'
import { checkSubscriptionCount } from '../bounds.ts'
import type { Node } from '../nodes/node.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import { connectionKey, createUnusedConnections } from './unused-connections.ts'

const CONNECTION_SCHEMA = 1

export interface ConnectionRecord {
  readonly [field: string]: unknown
  readonly schema: typeof CONNECTION_SCHEMA
  /** The `Mcp-Session-Id`: `con_` and 256 random bits; over HTTP+SSE the session's own id. */
  readonly id: string
  readonly sessionId: string
  /** Whether only tokens of that session may use it; otherwise none may. */
  readonly needsToken: boolean
  /** The parameters of `initialize`, as far as a replay needs them; null until it has come (HTTP+SSE). */
  readonly initialize: InitializeRequest['params'] | null
  readonly protocolVersion: string | null
  /** What the client asked to be logged to it; null for everything. */
  readonly logLevel: LoggingLevel | null
  /** URIs whose updates the client wants to hear of. */
  readonly subscriptions: readonly string[]
  /** Requests over HTTP+SSE that run, by node and number: `<node>-<n>`. */
  readonly calls: Readonly<Record<string, RequestId>>
  /** The node that holds the GET stream, and how many held it before. */
  readonly holder: string | null
  readonly generation: number
  /** Of its use; absent where nodes of the last release alone have used it. */
  readonly lastActiveAt?: number
  readonly expiresAt?: number
}

export type Connection = Stored<ConnectionRecord>

export { connectionKey }

/** Over HTTP+SSE a connection has its session's id. */
export function isOverSse(connectionId: string): boolean {
  return connectionId.startsWith('ses_')
}

export interface NewConnection {
  readonly sessionId: string
  readonly needsToken: boolean
  /** Given where the session's id is what the client knows. */
  readonly id?: string
  readonly initialize?: InitializeRequest['params']
  readonly protocolVersion?: string
  /** What the record counts for; unlimited if left out. */
  readonly storage?: StorageBudget
}

type Change = Partial<Omit<ConnectionRecord, 'id' | 'schema'>>

export interface Connections {
  /** @throws AppError `too_many_requests` when `storage` is exhausted; nothing is stored then */
  create(connection: NewConnection): Promise<ConnectionRecord>
  /** The connection, its time-to-live slid on; undefined when it is unknown or has ended. */
  retrieve(id: string): Promise<Connection | undefined>
  /** The connection without counting as use. */
  peek(id: string): Promise<Connection | undefined>
  /**
   * Counts a look at the connection as use, by who may use it: one that came with a token belongs to
   * the token's session, and one that came without belongs to no token. After the session has ended,
   * it goes over to the next one of the same owner: clients keep their `Mcp-Session-Id` when they
   * authorize again, and take 404 for final. Until its first request
   * (`isRequest`) one without a token is unused: nothing else makes it live longer.
   * @throws AppError `not_found` when there is none, and when it is somebody else's: they look alike
   */
  use(
    connection: Connection | undefined,
    caller: Pick<TokenSession, 'id'> | undefined,
    isRequest: boolean,
  ): Promise<Connection>
  /**
   * Renews the time-to-live of an unused connection, whose stream is open; false when there is
   * nothing to renew any more.
   */
  renewUnused(id: string): Promise<boolean>
  /** Sets fields of the connection. Throws `not_found` when it has ended. */
  update(id: string, change: Change): Promise<void>
  /** The same, when the new value depends on the old one: asked again if somebody else was faster. */
  revise(id: string, revision: (connection: Connection) => Change): Promise<Connection>
  /**
   * Whether the client wants to hear of updates of a resource, wherever its stream is held.
   * @throws AppError `invalid_params` for too many
   */
  subscribe(id: string, uri: string, wanted: boolean): Promise<void>
  /** A request over HTTP+SSE runs from now on; whoever holds the stream learns of it. */
  callBegins(id: string, name: string, requestId: RequestId): Promise<void>
  callEnds(id: string, name: string): Promise<void>
  /** False when it had ended before. */
  end(id: string): Promise<boolean>
}

/** What a connection is told besides answers to its POSTs; read by the node that holds its GET stream. */
export function ownStreamKey(connectionId: string): string {
  return `{${connectionId}}:stream`
}

export interface ConnectionDeps {
  readonly store: Store
  readonly node: Node
  /** Unix time in milliseconds. */
  readonly now: () => number
  readonly sessions: {
    /** Gives a session this time-to-live; false when it has ended. */
    touch(id: string, ttlSeconds: number): Promise<boolean>
    /** Whether a live session belongs to whom one did that was ended. */
    inherits(endedId: string, id: string): Promise<boolean>
  }
}

export interface ConnectionTimes {
  readonly ttlSeconds: number
  /** Of an anonymous connection and its session, until its first request after `initialize`. */
  readonly unusedTtlSeconds: number
}

/** Connections live as long as sessions do, once they are used. */
export function createConnections(deps: ConnectionDeps, times: ConnectionTimes): Connections {
  const { store, node } = deps
  const unused = createUnusedConnections(deps, times)
  // The key decides: nodes of the last release renew it, and stamp nothing.
  const sliding = new SlidingExpiration(deps, times.ttlSeconds)

  const peek = (id: string) => store.get<ConnectionRecord>(connectionKey(id))
  const { revise, update } = createWriters(store, peek)

  /** Has whoever holds the stream look at the connection again. */
  async function tellHolder(id: string, holder: string | null | undefined): Promise<void> {
    if (holder) await node.tell(holder, { kind: 'news', stream: ownStreamKey(id) })
  }

  return {
    async create({ storage, ...given }) {
      const record = recordOf(given)
      await storage?.spend(documentBytes(record))
      if (!record.needsToken) {
        await unused.create(record)
        return record
      }
      const stamped = { ...record, ...sliding.stamps() }
      await store.set(connectionKey(record.id), stamped, sliding.keySeconds)
      return stamped
    },
    peek,
    async retrieve(id) {
      const connection = await peek(id)
      if (connection === undefined) return undefined
      const isUsed = connection.needsToken || (await unused.isUsed(connection, false))
      if (isUsed) await sliding.use(connectionKey(id), connection)
      return connection
    },
    async use(connection, caller, isRequest) {
      if (connection === undefined || connection.needsToken !== (caller !== undefined)) {
        throw connectionEnded()
      }
      const isOwn = caller === undefined || connection.sessionId === caller.id
      const own = isOwn ? connection : await inherited(connection, caller, deps, revise)
      if (caller === undefined && !(await unused.isUsed(own, isRequest))) return own
      const renewing = sliding.use(connectionKey(own.id), own)
      if (renewing !== undefined) await renewing
      return own
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
      await tellHolder(id, holder)
    },
    async callBegins(id, name, requestId) {
      await update(id, { [`calls.${name}`]: requestId })
      // Asked for after the call was noted: who holds the stream later finds it there.
      await tellHolder(id, (await peek(id))?.holder)
    },
    async callEnds(id, name) {
      await store.patch(connectionKey(id), { [`calls.${name}`]: undefined })
    },
    async end(id) {
      const [ended] = await Promise.all([store.delete(connectionKey(id)), unused.forget(id)])
      return ended
    },
  }
}

/** Goes over to the caller's session if its own has ended: nothing of that comes along. */
async function inherited(
  { id, sessionId }: Connection,
  caller: Pick<TokenSession, 'id'>,
  { sessions }: Pick<ConnectionDeps, 'sessions'>,
  revise: Connections['revise'],
): Promise<Connection> {
  if (!(await sessions.inherits(sessionId, caller.id))) throw connectionEnded()
  return revise(id, () => ({ sessionId: caller.id, subscriptions: [], calls: {} }))
}

function recordOf({
  id = createId('con'),
  initialize,
  protocolVersion,
  ...owner
}: Omit<NewConnection, 'storage'>): ConnectionRecord {
  return {
    ...{ schema: CONNECTION_SCHEMA, id, ...owner },
    initialize: initialize ?? null,
    protocolVersion: protocolVersion ?? null,
    ...{ logLevel: null, subscriptions: [], calls: {}, holder: null, generation: 0 },
  }
}

/** What changes a connection that there is. */
function createWriters(
  store: Store,
  peek: Connections['peek'],
): Pick<Connections, 'revise' | 'update'> {
  async function revise(
    id: string,
    revision: (connection: Connection) => Change,
  ): Promise<Connection> {
    for (;;) {
      const connection = await peek(id)
      if (connection === undefined) throw connectionEnded()
      const change = revision(connection)
      const options = { ifRev: connection.rev }
      const { outcome } = await store.patch(connectionKey(id), change, options)
      if (outcome === 'absent') throw connectionEnded()
      if (outcome === 'written') return { ...connection, ...change } as Connection
    }
  }

  async function update(id: string, change: Changes): Promise<void> {
    const { outcome } = await store.patch(connectionKey(id), change)
    if (outcome === 'absent') throw connectionEnded()
  }

  return { revise, update }
}

/** Also the answer for a connection that is somebody else's: the two must look alike. */
export function connectionEnded(): AppError {
  return new AppError('not_found', 'Session not found.')
}
