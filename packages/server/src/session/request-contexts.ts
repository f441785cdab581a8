/** Creates request contexts: each gives access to the caller's own session only. */

import type { CallAudit, CallLog, CallSession, ToolCall } from '../engine/call.ts'
import { ANONYMOUS, type Caller as CallerIdentity } from '../engine/identity.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { Logger } from '../logger.ts'
import type { McpSessions } from '../mcp/legacy/mcp-sessions.ts'
import type { TokenSession } from '../mcp/nodes/session-ends.ts'
import type {
  ActingMcpSession,
  ClientFacts,
  KnownClient,
  RequestContext,
  RequestContexts,
} from '../mcp/request-context.ts'
import { jsonBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import type { Upstream } from '../upstream/upstream.ts'
import {
  adopt,
  type SessionByHandleDeps,
  sessionByHandle,
  unsubscribeAll,
} from './anonymous-sessions.ts'
import { refuseBlockedOwner } from './blocks.ts'
import { createCallSession } from './call-session.ts'
import type { AnonymousCaller, Caller, TokenCaller } from './caller.ts'
import { identityOf } from './caller-identity.ts'
import { ProcessContext } from './process-context.ts'
import type { Session } from './record.ts'
import type { UpstreamAccess } from './upstream-access.ts'

interface RequestContextDeps extends SessionByHandleDeps {
  readonly mcpSessions: McpSessions
  readonly upstreamAccess: UpstreamAccess
  /** The upstream API for clients without a person. */
  readonly serviceAccess: UpstreamAccess
  /** Initial time-to-live of a session opened with an anonymous MCP session, in seconds. */
  readonly unusedTtlSeconds: number
}

/** A request, with its log. */
export interface ContextSource extends CallLog {
  /** The storage budget of a caller without a token. */
  storageBudget(): StorageBudget
}

export type RequestContextFactory = ReturnType<typeof createRequestContexts>

export function createRequestContexts(deps: RequestContextDeps) {
  return {
    /** The contexts of one HTTP request, once its caller is authenticated. */
    of: (caller: Caller, source: ContextSource): RequestContexts =>
      caller.kind === 'token'
        ? new TokenContext(deps, source, caller)
        : new AnonymousContext(deps, source, caller),
    /** The context of the only user of a stdio process. */
    process: (log: Logger, subscribe: RequestContext['subscribe']): RequestContext =>
      new ProcessContext(deps, log, subscribe),
  }
}

/** A class, because each call creates an instance: methods on the prototype need no allocation. */
abstract class CallerContext {
  protected readonly deps: RequestContextDeps
  readonly #source: CallLog

  constructor(deps: RequestContextDeps, source: CallLog) {
    this.deps = deps
    this.#source = source
  }

  get log(): Logger {
    return this.#source.log
  }

  audit(entry: CallAudit): void {
    this.#source.audit(entry)
  }

  upstreamFor(...[session, onAnswer, limit]: Parameters<ToolCall['upstreamFor']>): Upstream {
    return this.deps.upstreamAccess(session, onAnswer, limit)
  }
}

/**
 * The context of a caller with an access token, which gives access to the token's session only.
 * Needs no lookup: token verification already retrieved the session and renewed its TTL.
 */
class TokenContext extends CallerContext implements RequestContext, RequestContexts {
  readonly #caller: TokenCaller
  #mcpSessionId: string | undefined
  readonly storage = UNLIMITED
  #identity: CallerIdentity | undefined

  constructor(deps: RequestContextDeps, source: CallLog, caller: TokenCaller) {
    super(deps, source)
    this.#caller = caller
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

  get identity(): CallerIdentity {
    this.#identity ??= identityOf(this.deps.credentials, this.#caller)
    return this.#identity
  }

  get clientId(): string {
    return this.#caller.clientId
  }

  get tokenSession(): TokenSession {
    const { session, grantId, expiresAt, clientId, subject, issuer } = this.#caller
    const { owner } = session
    const token = {
      ...(expiresAt !== undefined && { expiresAt }),
      ...(grantId !== undefined && { grantId }),
      ...(owner !== undefined && { owner }),
      ...(subject !== undefined && { subject }),
      ...(issuer !== undefined && { issuer }),
    }
    return { id: session.id, since: session.connectedAt, clientId, ...token }
  }

  stateless(): RequestContext {
    return this
  }

  mcpSession({ id }: ActingMcpSession): RequestContext {
    this.#mcpSessionId = id
    return this
  }

  async connect() {
    return { sessionId: this.caller, needsToken: true }
  }

  // The token stays valid without this MCP session, and may have others.
  async disconnect(): Promise<void> {}

  openSession(handle: string | undefined, client: KnownClient): CallSession {
    if (handle !== undefined) {
      // Rejected, not ignored: otherwise the call would act on another session than it names.
      throw new ToolError('Your access token identifies your session. Leave `session` out.', {
        code: 'session_not_found',
      })
    }
    const { session, isMachine, isPersonal, subjectToken: subject } = this.#caller
    const access = 'token'
    return createCallSession(this.deps, session, { access, client, isMachine, isPersonal, subject })
  }

  override upstreamFor(...given: Parameters<ToolCall['upstreamFor']>): Upstream {
    if (!this.#caller.isMachine) return super.upstreamFor(...given)
    return this.deps.serviceAccess(...given)
  }

  async subscribe(uri: string, wanted: boolean): Promise<void> {
    const id = this.#mcpSessionId
    if (id !== undefined) await this.deps.mcpSessions.subscribe(id, uri, wanted)
  }
}

/** The context of a caller without a token, identified by MCP session, session handle, or nothing. */
class AnonymousContext extends CallerContext implements RequestContext, RequestContexts {
  readonly tokenSession = undefined
  readonly scopes = undefined
  readonly identity = ANONYMOUS
  /** The client address, even with an MCP session: a caller can open a new MCP session per call. */
  readonly caller: string
  readonly #source: ContextSource
  #mcpSession: ActingMcpSession | undefined
  #storage: StorageBudget | undefined

  constructor(deps: RequestContextDeps, source: ContextSource, { address }: AnonymousCaller) {
    super(deps, source)
    this.caller = address
    this.#source = source
  }

  get principal(): string {
    return this.#mcpSession?.id ?? 'anonymous'
  }

  get storage(): StorageBudget {
    this.#storage ??= this.#source.storageBudget()
    return this.#storage
  }

  stateless(): RequestContext {
    return this
  }

  mcpSession(mcpSession: ActingMcpSession): RequestContext {
    this.#mcpSession = mcpSession
    return this
  }

  async connect(client: ClientFacts) {
    const { sessions, unusedTtlSeconds: ttlSeconds } = this.deps
    const { storage } = this
    const session = await sessions.create('connection', client, { ttlSeconds, storage })
    return { sessionId: session.id, needsToken: false }
  }

  async disconnect({ sessionId }: ActingMcpSession): Promise<void> {
    await this.deps.signOut(sessionId)
  }

  async openSession(handle: string | undefined, client: KnownClient): Promise<CallSession> {
    const { deps, storage } = this
    if (handle !== undefined) return sessionByHandle(deps, handle, client, storage)
    if (this.#mcpSession === undefined) {
      return createCallSession(deps, undefined, { access: 'handle', client, storage })
    }
    const { id, sessionId } = this.#mcpSession
    const opened = (created: Session) => adopt(deps, id, sessionId, created)
    const ended = () => unsubscribeAll(deps, id)
    const session = await deps.sessions.retrieve(sessionId)
    await refuseBlockedOwner(deps.blocks, session)
    return createCallSession(deps, session, {
      access: 'connection',
      client,
      opened,
      ended,
      storage,
    })
  }

  async subscribe(uri: string, wanted: boolean): Promise<void> {
    if (this.#mcpSession === undefined) return
    const { deps, storage } = this
    if (wanted && storage !== UNLIMITED) await storage.spend(jsonBytes(uri))
    await deps.mcpSessions.subscribe(this.#mcpSession.id, uri, wanted)
  }
}
