/** Finds each caller's session, and nobody else's. */

import type { CallSession } from '../engine/call.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { Logger } from '../logger.ts'
import type { Connections } from '../mcp/legacy/connection.ts'
import type { ClientFacts, Origin, RequestOrigins } from '../mcp/origin.ts'
import { type CallSessionDeps, createCallSession } from './call-session.ts'
import type { Caller } from './caller.ts'
import type { Session } from './record.ts'
import type { UpstreamAccess } from './upstream-access.ts'

export interface OriginDeps extends CallSessionDeps {
  readonly connections: Connections
  readonly upstreamAccess: UpstreamAccess
}

export interface Origins {
  /** The origins of one HTTP request, once its caller is known. */
  of(caller: Caller, log: Logger): RequestOrigins
  /** The one person a process serves over stdio. */
  process(log: Logger, subscribe: Origin['subscribe']): Origin
}

/** What differs between callers that are known by different things. */
interface Own {
  session(client: ClientFacts): Promise<CallSession>
  subscribe(uri: string, wanted: boolean): Promise<void>
}

export function createOrigins(deps: OriginDeps): Origins {
  const { sessions, connections, upstreamAccess } = deps

  /** Only sessions that were given out as handles: others have an owner, and look unknown here. */
  async function byHandle(handle: string, client: ClientFacts): Promise<CallSession> {
    const session = handle.startsWith('ses_') ? await sessions.retrieve(handle) : undefined
    if (session?.access !== 'handle') {
      throw new ToolError('That session is unknown or has ended. Call `login` for a new one.', {
        code: 'session_not_found',
      })
    }
    return createCallSession(deps, session, { access: 'handle', client })
  }

  /** Of calls that open a session for one connection at the same time, one gives it to all. */
  async function adopt(id: string, replaced: string, created: Session): Promise<Session> {
    const { sessionId } = await connections.revise(id, (connection) => ({
      sessionId: connection.sessionId === replaced ? created.id : connection.sessionId,
    }))
    if (sessionId === created.id) return created
    await sessions.end(created.id)
    return (await sessions.retrieve(sessionId)) ?? created
  }

  function origin(principal: string, scopes: Caller['scopes'], log: Logger, own: Own): Origin {
    return {
      principal,
      scopes,
      log,
      openSession: (handle, client) =>
        handle === undefined ? own.session(client) : byHandle(handle, client),
      subscribe: own.subscribe,
      upstreamFor: (session, onAnswer) => upstreamAccess(session.id, onAnswer),
    }
  }

  return {
    of: (caller, log) => ({
      log,
      caller: caller.address,
      stateless: () =>
        origin('anonymous', caller.scopes, log, {
          session: async (client) =>
            createCallSession(deps, undefined, { access: 'handle', client }),
          subscribe: async () => undefined,
        }),
      connection: ({ id, sessionId }) =>
        origin(id, caller.scopes, log, {
          async session(client) {
            const opened = (created: Session) => adopt(id, sessionId, created)
            const session = await sessions.retrieve(sessionId)
            return createCallSession(deps, session, { access: 'connection', client, opened })
          },
          subscribe: (uri, wanted) => connections.subscribe(id, uri, wanted),
        }),
      async connect(client) {
        const session = await sessions.create('connection', client)
        return { sessionId: session.id }
      },
    }),
    process(log, subscribe) {
      let sessionId: string | undefined
      const opened = async (session: Session) => {
        sessionId = session.id
        return session
      }
      return origin('process', undefined, log, {
        async session(client) {
          const session = sessionId === undefined ? undefined : await sessions.retrieve(sessionId)
          return createCallSession(deps, session, { access: 'process', client, opened })
        },
        subscribe,
      })
    },
  }
}
