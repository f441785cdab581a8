/** Finds each caller's session, and nobody else's. */

import type { CallSession } from '../engine/call.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { Logger } from '../logger.ts'
import type { Connections } from '../mcp/legacy/connection.ts'
import type { ClientFacts, Origin, RequestOrigins } from '../mcp/origin.ts'
import { jsonBytes, type StorageBudget, UNLIMITED } from '../store/storage-budget.ts'
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
   * The origins of one HTTP request, once its caller is known. `storageOf` gives the budget of what a
   * caller without a token has stored.
   */
  of(caller: Caller, log: Logger, storageOf?: () => StorageBudget): RequestOrigins
  /** The one person a process serves over stdio. */
  process(log: Logger, subscribe: Origin['subscribe']): Origin
}

/** What differs between callers that are known by different things. */
interface Own {
  /** Who is counted, if not the principal. */
  readonly caller?: string
  readonly scopes?: readonly string[]
  readonly clientId?: string
  readonly storage?: StorageBudget
  session(client: ClientFacts): Promise<CallSession>
  /** The session that a call names by its handle. */
  named(handle: string, client: ClientFacts): Promise<CallSession>
  subscribe(uri: string, wanted: boolean): Promise<void>
}

export function createOrigins(deps: OriginDeps): Origins {
  return {
    of: (caller, log, storageOf = () => UNLIMITED) =>
      caller.kind === 'token'
        ? tokenOrigins(deps, caller, log)
        : anonymousOrigins(deps, caller, log, storageOf()),
    process(log, subscribe) {
      let sessionId: string | undefined
      const opened = async (session: Session) => {
        sessionId = session.id
        return session
      }
      return origin(deps, 'process', log, {
        async session(client) {
          const session =
            sessionId === undefined ? undefined : await deps.sessions.retrieve(sessionId)
          return createCallSession(deps, session, { access: 'process', client, opened })
        },
        named: byHandle(deps),
        subscribe,
      })
    },
  }
}

function origin(deps: OriginDeps, principal: string, log: Logger, own: Own): Origin {
  return {
    principal,
    caller: own.caller ?? principal,
    scopes: own.scopes,
    clientId: own.clientId,
    storage: own.storage ?? UNLIMITED,
    log,
    openSession: (handle, client) =>
      handle === undefined ? own.session(client) : own.named(handle, client),
    subscribe: own.subscribe,
    upstreamFor: (session, onAnswer) => deps.upstreamAccess(session, onAnswer),
  }
}

function anonymousOrigins(
  deps: OriginDeps,
  { address }: AnonymousCaller,
  log: Logger,
  storage: StorageBudget,
): RequestOrigins {
  const { sessions, connections, unusedTtlSeconds: ttlSeconds } = deps
  return {
    log,
    tokenSession: undefined,
    caller: address,
    storage,
    stateless: () =>
      origin(deps, 'anonymous', log, {
        caller: address,
        storage,
        session: async (client) =>
          createCallSession(deps, undefined, { access: 'handle', client, storage }),
        named: byHandle(deps, storage),
        subscribe: async () => undefined,
      }),
    connection: ({ id, sessionId }) =>
      origin(deps, id, log, {
        // Whoever likes has a new connection for each call.
        caller: address,
        storage,
        async session(client) {
          const opened = (created: Session) => adopt(deps, id, sessionId, created)
          const session = await sessions.retrieve(sessionId)
          return createCallSession(deps, session, { access: 'connection', client, opened, storage })
        },
        named: byHandle(deps, storage),
        async subscribe(uri, wanted) {
          if (wanted && storage !== UNLIMITED) await storage.spend(jsonBytes(uri))
          await connections.subscribe(id, uri, wanted)
        },
      }),
    async connect(client) {
      const session = await sessions.create('connection', client, { ttlSeconds, storage })
      return { sessionId: session.id, needsToken: false }
    },
    async disconnect({ sessionId }) {
      await deps.signOut(sessionId)
    },
  }
}

/** The session comes with the token: it was found, and counted as used, when that was checked. */
function tokenOrigins(
  deps: OriginDeps,
  { session, grantId, clientId, scopes, expiresAt }: TokenCaller,
  log: Logger,
): RequestOrigins {
  const own = (subscribe: Own['subscribe']) =>
    origin(deps, session.id, log, {
      scopes,
      clientId,
      session: async (client) => createCallSession(deps, session, { access: 'token', client }),
      named: refuseHandle,
      subscribe,
    })
  const token = {
    ...(expiresAt !== undefined && { expiresAt }),
    ...(grantId !== undefined && { grantId }),
  }
  return {
    log,
    tokenSession: { id: session.id, since: session.connectedAt, ...token },
    caller: session.id,
    storage: UNLIMITED,
    stateless: () => own(async () => undefined),
    connection: ({ id }) => own((uri, wanted) => deps.connections.subscribe(id, uri, wanted)),
    connect: async () => ({ sessionId: session.id, needsToken: true }),
    // The token is good without the connection, and may have others.
    disconnect: async () => undefined,
  }
}

/** Only sessions that were given out as handles: others have an owner, and look unknown here. */
function byHandle(deps: OriginDeps, storage = UNLIMITED): Own['named'] {
  return async (handle, client) => {
    const session = handle.startsWith('ses_') ? await deps.sessions.peek(handle) : undefined
    if (session?.access !== 'handle') {
      throw new ToolError('That session is unknown or has ended. Call `login` for a new one.', {
        code: 'session_not_found',
      })
    }
    const used = await deps.sessions.use(session)
    return createCallSession(deps, used, { access: 'handle', client, storage })
  }
}

/** Refused rather than ignored: what the call did would land in another session than it says. */
async function refuseHandle(): Promise<never> {
  throw new ToolError('You are known by your access token. Leave `session` out.', {
    code: 'session_not_found',
  })
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
