/** The request contexts: their base class, and that of callers with an access token. */

import type { CallAudit, CallLog, CallSession, ToolCall } from '../engine/call.ts'
import type { Caller } from '../engine/identity.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { Logger } from '../logger.ts'
import type { McpSessions } from '../mcp/legacy/mcp-sessions.ts'
import type { TokenSession } from '../mcp/nodes/session-ends.ts'
import type {
  ActingMcpSession,
  KnownClient,
  RequestContext,
  RequestContexts,
} from '../mcp/request-context.ts'
import { UNLIMITED } from '../store/storage-budget.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Blocks } from './blocks.ts'
import { type CallSessionDeps, createCallSession } from './call-session.ts'
import type { TokenCaller } from './caller.ts'
import { identityOf } from './caller-identity.ts'
import type { UpstreamAccess } from './upstream-access.ts'

export interface RequestContextDeps extends CallSessionDeps {
  readonly mcpSessions: McpSessions
  readonly upstreamAccess: UpstreamAccess
  /** People whose sessions are refused. */
  readonly blocks: Pick<Blocks, 'current'>
  /** The upstream API for clients without a person. */
  readonly serviceAccess: UpstreamAccess
  /** Initial time-to-live of a session opened with an anonymous MCP session, in seconds. */
  readonly unusedTtlSeconds: number
}

/** A class, because each call creates an instance: methods on the prototype need no allocation. */
export abstract class CallerContext {
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
export class TokenContext extends CallerContext implements RequestContext, RequestContexts {
  readonly #caller: TokenCaller
  #mcpSessionId: string | undefined
  readonly storage = UNLIMITED
  #identity: Caller | undefined

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

  get identity(): Caller {
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
