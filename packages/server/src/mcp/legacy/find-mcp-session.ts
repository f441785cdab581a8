/** Finds the MCP session that a request names, verifies its ownership and counts the use. */

import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import type { McpSession, McpSessions } from './mcp-session.ts'
import type { OpenedMcpSessions } from './opened-mcp-sessions.ts'

/** Prefetched MCP session record, or its pending lookup; null if absent. Ownership not verified. */
export type LookedUp = McpSession | null | Promise<McpSession | undefined>

/** The fields of a request that identify its MCP session and its caller. */
export interface NamedMcpSession {
  /** `Mcp-Protocol-Version`. */
  readonly version: string | undefined
  /** `Mcp-Session-Id`. */
  readonly id: string | undefined
  readonly owner: Pick<TokenSession, 'id'> | undefined
  readonly ahead: LookedUp | undefined
}

export interface FindMcpSessionDeps {
  readonly mcpSessions: McpSessions
  readonly opened: OpenedMcpSessions
}

/** Reads an MCP session by its id, without verifying its ownership. */
export async function lookUp(id: string, { peek }: McpSessions): Promise<McpSession | undefined> {
  return id.startsWith('con_') ? peek(id) : undefined
}

/**
 * `isRequest` is false for notifications and responses: only requests count as use.
 * @throws AppError `invalid_request`, `not_found`
 */
export async function findMcpSession(
  { version, id, owner, ahead }: NamedMcpSession,
  { mcpSessions, opened }: FindMcpSessionDeps,
  isRequest = false,
): Promise<McpSession> {
  if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
    throw new AppError('invalid_request', 'Unsupported protocol version.')
  }
  if (id === undefined) throw new AppError('invalid_request', 'Mcp-Session-Id is missing.')
  const looking = ahead === undefined ? lookUp(id, mcpSessions) : ahead
  const found = looking instanceof Promise ? await looking : (looking ?? undefined)
  const mcpSession = await mcpSessions.use(found, owner, isRequest)
  if (isRequest || mcpSession.needsToken) opened.used(id)
  return mcpSession
}
