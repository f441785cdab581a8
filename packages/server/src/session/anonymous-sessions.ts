/** Sessions of callers without a token: found by handle, or adopted by an MCP session. */

import type { CallSession } from '../engine/call.ts'
import { ToolError } from '../engine/tool-error.ts'
import type { McpSessions } from '../mcp/legacy/mcp-sessions.ts'
import type { KnownClient } from '../mcp/request-context.ts'
import type { StorageBudget } from '../store/storage-budget.ts'
import { type Blocks, refuseBlockedOwner } from './blocks.ts'
import { type CallSessionDeps, createCallSession } from './call-session.ts'
import type { Session } from './record.ts'

export interface SessionByHandleDeps extends CallSessionDeps {
  /** People whose sessions are refused. */
  readonly blocks: Pick<Blocks, 'current'>
}

interface McpSessionDeps {
  readonly mcpSessions: Pick<McpSessions, 'peek' | 'subscribe' | 'revise'>
}

/** Finds sessions accessed by handle only: all others have an owner and are reported as unknown. */
export async function sessionByHandle(
  deps: SessionByHandleDeps,
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
export async function unsubscribeAll({ mcpSessions }: McpSessionDeps, id: string): Promise<void> {
  const { subscriptions = [] } = (await mcpSessions.peek(id)) ?? {}
  for (const uri of subscriptions) await mcpSessions.subscribe(id, uri, false)
}

/** Concurrent calls that open a session for one MCP session all adopt the first one written. */
export async function adopt(
  { sessions, mcpSessions }: McpSessionDeps & Pick<CallSessionDeps, 'sessions'>,
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
