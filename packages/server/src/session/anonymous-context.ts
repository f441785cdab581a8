/** Context of an unauthenticated caller, identified by MCP session, session handle, or nothing. */

import type { CallLog, CallSession } from '../engine/call.ts'
import { ANONYMOUS } from '../engine/identity.ts'
import { ToolError } from '../engine/tool-error.ts'
import type {
  ActingMcpSession,
  ClientFacts,
  KnownClient,
  RequestContext,
  RequestContexts,
} from '../mcp/request-context.ts'
import { jsonBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
import { refuseBlockedOwner } from './blocks.ts'
import { createCallSession } from './call-session.ts'
import type { AnonymousCaller } from './caller.ts'
import { CallerContext, type RequestContextDeps } from './caller-context.ts'
import type { Session } from './record.ts'

export class AnonymousContext extends CallerContext implements RequestContext, RequestContexts {
  readonly tokenSession = undefined
  readonly scopes = undefined
  readonly identity = ANONYMOUS
  /** The client address, even with an MCP session: a caller can open a new MCP session per call. */
  readonly caller: string
  readonly #storageOf: () => StorageBudget
  #mcpSession: ActingMcpSession | undefined
  #storage: StorageBudget | undefined

  constructor(
    deps: RequestContextDeps,
    source: CallLog,
    { address }: Pick<AnonymousCaller, 'address'>,
    storageOf: () => StorageBudget,
  ) {
    super(deps, source)
    this.caller = address
    this.#storageOf = storageOf
  }

  get principal(): string {
    return this.#mcpSession?.id ?? 'anonymous'
  }

  get storage(): StorageBudget {
    this.#storage ??= this.#storageOf()
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

/** Finds sessions accessed by handle only: all others have an owner and are reported as unknown. */
export async function sessionByHandle(
  deps: RequestContextDeps,
  handle: string,
  client: KnownClient,
  storage: StorageBudget,
): Promise<CallSession> {
  const session = handle.startsWith('ses_') ? await deps.sessions.peek(handle) : undefined
  if (session?.access !== 'handle') {
    throw new ToolError(
      'That session is unknown or has ended. Leave `session` out for a new one.',
      {
        code: 'session_not_found',
      },
    )
  }
  await refuseBlockedOwner(deps.blocks, session)
  const used = await deps.sessions.use(session)
  return createCallSession(deps, used, { access: 'handle', client, storage })
}

/** Removes all resource subscriptions: they end with the session. */
async function unsubscribeAll({ mcpSessions }: RequestContextDeps, id: string): Promise<void> {
  const { subscriptions = [] } = (await mcpSessions.peek(id)) ?? {}
  for (const uri of subscriptions) await mcpSessions.subscribe(id, uri, false)
}

/** Concurrent calls that open a session for one MCP session all adopt the first one written. */
async function adopt(
  { sessions, mcpSessions }: RequestContextDeps,
  id: string,
  replaced: string,
  created: Session,
): Promise<Session> {
  // Subscriptions of the ended session are dropped.
  const { sessionId } = await mcpSessions.revise(id, (mcpSession) =>
    mcpSession.sessionId === replaced ? { sessionId: created.id, subscriptions: [] } : {},
  )
  if (sessionId === created.id) return created
  await sessions.end(created.id)
  return (await sessions.retrieve(sessionId)) ?? created
}
