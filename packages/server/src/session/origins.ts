/** Finds each caller's session, and nobody else's. */

import { auditCall, type CallAudit, type CallLog, type CallSession } from '../engine/call.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { Logger } from '../logger.ts'
import type { ConnectionRecord, Connections } from '../mcp/legacy/connection.ts'
import type { TokenSession } from '../mcp/nodes/session-ends.ts'
import type { ClientFacts, Origin, RequestOrigins } from '../mcp/origin.ts'
import { jsonBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { type CallSessionDeps, createCallSession } from './call-session.ts'
import type { AnonymousCaller, Caller, TokenCaller } from './caller.ts'
import type { Session } from './record.ts'
import type { UpstreamAccess } from './upstream-access.ts'

export interface OriginDeps extends CallSessionDeps {
  readonly connections: Connections
  readonly upstreamAccess: UpstreamAccess
  /** The first time-to-live of a session that is opened with an anonymous connection, in seconds. */
  readonly unusedTtlSeconds: number
}

export interface Origins {
  /**
   * The origins of one HTTP request, once its caller is known; `source` has its log. `storageOf` gives
   * the budget of what a caller without a token has stored.
   */
  of(caller: Caller, source: CallLog, storageOf?: () => StorageBudget): RequestOrigins
  /** The one person a process serves over stdio. */
  process(log: Logger, subscribe: Origin['subscribe']): Origin
}

export function createOrigins(deps: OriginDeps): Origins {
  return {
    of: (caller, source, storageOf = () => UNLIMITED) =>
      caller.kind === 'token'
        ? new TokenOrigins(deps, source, caller)
        : new AnonymousOrigins(deps, source, caller, storageOf),
    process: (log, subscribe) => new ProcessOrigin(deps, log, subscribe),
  }
}

/** What all origins have in common. */
abstract class CallerOrigin {
  protected readonly deps: OriginDeps
  readonly #source: CallLog

  constructor(deps: OriginDeps, source: CallLog) {
    this.deps = deps
    this.#source = source
  }

  get log(): Logger {
    return this.#source.log
  }

  audit(entry: CallAudit): void {
    this.#source.audit(entry)
  }

  upstreamFor(session: CallSession, onAnswer: (answer: unknown) => void): Upstream {
    return this.deps.upstreamAccess(session, onAnswer)
  }
}

/** The one person of a process over stdio. */
class ProcessOrigin extends CallerOrigin implements Origin {
  readonly principal = 'process'
  readonly caller = 'process'
  readonly scopes = undefined
  readonly storage = UNLIMITED
  readonly subscribe: Origin['subscribe']
  #sessionId: string | undefined

  constructor(deps: OriginDeps, log: Logger, subscribe: Origin['subscribe']) {
    super(deps, { log, audit: (entry) => auditCall(log, entry) })
    this.subscribe = subscribe
  }

  async openSession(handle: string | undefined, client: ClientFacts): Promise<CallSession> {
    if (handle !== undefined) return sessionByHandle(this.deps, handle, client, UNLIMITED)
    const id = this.#sessionId
    const session = id === undefined ? undefined : await this.deps.sessions.retrieve(id)
    const opened = async (created: Session) => {
      this.#sessionId = created.id
      return created
    }
    return createCallSession(this.deps, session, { access: 'process', client, opened })
  }
}

class TokenOrigins extends CallerOrigin implements RequestOrigins {
  readonly #caller: TokenCaller
  readonly storage = UNLIMITED

  constructor(deps: OriginDeps, source: CallLog, caller: TokenCaller) {
    super(deps, source)
    this.#caller = caller
  }

  get tokenSession(): TokenSession {
    const { session, expiresAt } = this.#caller
    const expiry = expiresAt === undefined ? {} : { expiresAt }
    return { id: session.id, since: session.connectedAt, ...expiry }
  }

  get caller(): string {
    return this.#caller.session.id
  }

  stateless(): Origin {
    return new TokenOrigin(this.deps, this, this.#caller, undefined)
  }

  connection({ id }: ConnectionRecord): Origin {
    return new TokenOrigin(this.deps, this, this.#caller, id)
  }

  async connect() {
    return { sessionId: this.caller, needsToken: true }
  }

  // The token is good without the connection, and may have others.
  async disconnect(): Promise<void> {}
}

/** The session comes with the token: it was found, and counted as used, when that was checked. */
class TokenOrigin extends CallerOrigin implements Origin {
  readonly #caller: TokenCaller
  readonly #connectionId: string | undefined
  readonly storage = UNLIMITED

  constructor(
    deps: OriginDeps,
    source: CallLog,
    caller: TokenCaller,
    connectionId: string | undefined,
  ) {
    super(deps, source)
    this.#caller = caller
    this.#connectionId = connectionId
  }

  get principal(): string {
    return this.#caller.session.id
  }

  get caller(): string {
    return this.#caller.session.id
  }

  get scopes(): readonly string[] {
    return this.#caller.scopes
  }

  get clientId(): string {
    return this.#caller.clientId
  }

  async openSession(handle: string | undefined, client: ClientFacts): Promise<CallSession> {
    if (handle !== undefined) {
      // Refused rather than ignored: what the call did would land in another session than it says.
      throw new ToolError('You are known by your access token. Leave `session` out.', {
        code: 'session_not_found',
      })
    }
    return createCallSession(this.deps, this.#caller.session, { access: 'token', client })
  }

  async subscribe(uri: string, wanted: boolean): Promise<void> {
    const id = this.#connectionId
    if (id !== undefined) await this.deps.connections.subscribe(id, uri, wanted)
  }
}

class AnonymousOrigins extends CallerOrigin implements RequestOrigins {
  readonly tokenSession = undefined
  readonly caller: string
  readonly #storageOf: () => StorageBudget
  #storage: StorageBudget | undefined

  constructor(
    deps: OriginDeps,
    source: CallLog,
    { address }: AnonymousCaller,
    storageOf: () => StorageBudget,
  ) {
    super(deps, source)
    this.caller = address
    this.#storageOf = storageOf
  }

  get storage(): StorageBudget {
    this.#storage ??= this.#storageOf()
    return this.#storage
  }

  stateless(): Origin {
    return new AnonymousOrigin(this.deps, this, undefined)
  }

  connection(connection: ConnectionRecord): Origin {
    return new AnonymousOrigin(this.deps, this, connection)
  }

  async connect(client: ClientFacts) {
    const { sessions, unusedTtlSeconds: ttlSeconds } = this.deps
    const { storage } = this
    const session = await sessions.create('connection', client, { ttlSeconds, storage })
    return { sessionId: session.id, needsToken: false }
  }

  async disconnect({ sessionId }: ConnectionRecord): Promise<void> {
    await this.deps.signOut(sessionId)
  }
}

/** Known by its connection, by the handle that a call names, or by nothing. */
class AnonymousOrigin extends CallerOrigin implements Origin {
  readonly #request: AnonymousOrigins
  readonly #connection: ConnectionRecord | undefined
  readonly scopes = undefined

  constructor(
    deps: OriginDeps,
    request: AnonymousOrigins,
    connection: ConnectionRecord | undefined,
  ) {
    super(deps, request)
    this.#request = request
    this.#connection = connection
  }

  get principal(): string {
    return this.#connection?.id ?? 'anonymous'
  }

  /** The address, also with a connection: whoever likes has a new one for each call. */
  get caller(): string {
    return this.#request.caller
  }

  get storage(): StorageBudget {
    return this.#request.storage
  }

  async openSession(handle: string | undefined, client: ClientFacts): Promise<CallSession> {
    const { deps, storage } = this
    if (handle !== undefined) return sessionByHandle(deps, handle, client, storage)
    if (this.#connection === undefined) {
      return createCallSession(deps, undefined, { access: 'handle', client, storage })
    }
    const { id, sessionId } = this.#connection
    const opened = (created: Session) => adopt(deps, id, sessionId, created)
    const session = await deps.sessions.retrieve(sessionId)
    return createCallSession(deps, session, { access: 'connection', client, opened, storage })
  }

  async subscribe(uri: string, wanted: boolean): Promise<void> {
    if (this.#connection === undefined) return
    const { deps, storage } = this
    if (wanted && storage !== UNLIMITED) await storage.spend(jsonBytes(uri))
    await deps.connections.subscribe(this.#connection.id, uri, wanted)
  }
}

/** Only sessions that were given out as handles: others have an owner, and look unknown here. */
async function sessionByHandle(
  deps: OriginDeps,
  handle: string,
  client: ClientFacts,
  storage: StorageBudget,
): Promise<CallSession> {
  const session = handle.startsWith('ses_') ? await deps.sessions.peek(handle) : undefined
  if (session?.access !== 'handle') {
    throw new ToolError('That session is unknown or has ended. Call `login` for a new one.', {
      code: 'session_not_found',
    })
  }
  const used = await deps.sessions.use(session)
  return createCallSession(deps, used, { access: 'handle', client, storage })
}

/** Of calls that open a session for one connection at the same time, one gives it to all. */
async function adopt(
  { sessions, connections }: OriginDeps,
  id: string,
  replaced: string,
  created: Session,
): Promise<Session> {
  const { sessionId } = await connections.revise(id, (connection) => ({
    sessionId: connection.sessionId === replaced ? created.id : connection.sessionId,
  }))
  if (sessionId === created.id) return created
  await sessions.end(created.id)
  return (await sessions.retrieve(sessionId)) ?? created
}
