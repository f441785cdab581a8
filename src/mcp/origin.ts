/** Where a request comes from: what may be known of its caller, and which session is its own. */

import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import type { Caller } from '../auth/caller.ts'
import type { CallSession } from '../engine/call.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { Logger } from '../logger.ts'
import { type CallSessionDeps, createCallSession } from '../session/call-session.ts'
import type { ProtocolFacts, Session, SessionAccess } from '../session/record.ts'
import type { ConnectionRecord, Connections } from './connection.ts'

export interface Origin {
  /** Names the caller in what is sealed for it; no other caller can use that. */
  readonly principal: string
  readonly scopes: readonly string[] | undefined
  readonly log: Logger
  /**
   * The session of one call. `handle` is the session the call names, if it names one.
   * @throws ToolError `session_not_found`
   */
  openSession(handle: string | undefined, protocol: ProtocolFacts): Promise<CallSession>
}

export interface Origins {
  /** A caller that is known by nothing but the session handle it may name (2026 era). */
  anonymous(caller: Caller, log: Logger): Origin
  /** A caller that is known by its connection (2025 era). */
  connection(connection: ConnectionRecord, caller: Caller, log: Logger): Origin
  /** The one person a process serves over stdio. */
  process(log: Logger): Origin
}

export function createOrigins(deps: CallSessionDeps, connections: Connections): Origins {
  const { sessions } = deps

  /** Only sessions that were given out as handles: others have an owner, and look unknown here. */
  async function byHandle(handle: string, protocol: ProtocolFacts): Promise<CallSession> {
    const session = handle.startsWith('ses_') ? await sessions.retrieve(handle) : undefined
    if (session?.access !== 'handle') {
      throw new ToolError('That session is unknown or has ended. Call `login` for a new one.', {
        code: 'session_not_found',
      })
    }
    return createCallSession(deps, session, { access: 'handle', protocol })
  }

  function origin(
    principal: string,
    scopes: readonly string[] | undefined,
    log: Logger,
    own: (protocol: ProtocolFacts) => Promise<CallSession>,
  ): Origin {
    const openSession: Origin['openSession'] = (handle, protocol) =>
      handle === undefined ? own(protocol) : byHandle(handle, protocol)
    return { principal, scopes, log, openSession }
  }

  return {
    anonymous: ({ scopes }, log) =>
      origin('anonymous', scopes, log, async (protocol) =>
        createCallSession(deps, undefined, { access: 'handle', protocol }),
      ),
    connection: ({ id, sessionId }, { scopes }, log) =>
      origin(id, scopes, log, async (protocol) => {
        const opened = (session: Session) => connections.changeSession(id, session.id)
        const session = await sessions.retrieve(sessionId)
        return createCallSession(deps, session, { access: 'connection', protocol, opened })
      }),
    process(log) {
      const access: SessionAccess = 'process'
      let sessionId: string | undefined
      const opened = async (session: Session) => {
        sessionId = session.id
      }
      return origin('process', undefined, log, async (protocol) => {
        const session = sessionId === undefined ? undefined : await sessions.retrieve(sessionId)
        return createCallSession(deps, session, { access, protocol, opened })
      })
    },
  }
}

/** The SDK hands `authInfo` through to handlers untouched: the way for what we know of a request. */
export function originAsAuthInfo(origin: Origin): AuthInfo {
  return { token: '', clientId: '', scopes: [...(origin.scopes ?? [])], extra: { origin } }
}

/** The origin of the request a handler serves; `fallback` where the transport carries none (stdio). */
export function originOf(ctx: ServerContext, fallback: Origin | undefined): Origin {
  const origin = ctx.http?.authInfo?.extra?.['origin'] as Origin | undefined
  const known = origin ?? fallback
  if (known === undefined) throw new Error('A request arrived without its origin')
  return known
}
