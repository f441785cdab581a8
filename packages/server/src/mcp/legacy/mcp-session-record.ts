/** The stored record of an MCP session (`Mcp-Session-Id`), and its store keys and expiration. */

import type { InitializeRequest, LoggingLevel, RequestId } from '@modelcontextprotocol/server'
import { createId } from '../../crypto/random-id.ts'
import { AppError } from '../../errors.ts'
import type { Stored } from '../../store/port.ts'
import { SlidingExpiration, type SlidingExpirationDeps } from '../../store/sliding-expiration.ts'
import type { StorageBudget } from '../../store/storage-budget.ts'

const CONNECTION_SCHEMA = 1

export interface McpSessionRecord {
  readonly [field: string]: unknown
  readonly schema: typeof CONNECTION_SCHEMA
  /** The `Mcp-Session-Id`: `con_` and 256 random bits; over HTTP+SSE the session's own id. */
  readonly id: string
  readonly sessionId: string
  /** Whether only tokens of that session may use it; if false, no token may. */
  readonly needsToken: boolean
  /** The `initialize` parameters that a replay needs; null until received (HTTP+SSE). */
  readonly initialize: InitializeRequest['params'] | null
  readonly protocolVersion: string | null
  /** Minimum level of the log notifications that the client requested; null for all. */
  readonly logLevel: LoggingLevel | null
  /** URIs of the resources that the client has subscribed to. */
  readonly subscriptions: readonly string[]
  /** Running HTTP+SSE requests, by node and number: `<node>-<n>`. */
  readonly calls: Readonly<Record<string, RequestId>>
  /** The node that holds the GET stream, and a counter of takeovers (fencing token). */
  readonly holder: string | null
  readonly generation: number
  /** Stamps of the sliding expiration; absent if only nodes of the last release have used it. */
  readonly lastActiveAt?: number
  readonly expiresAt?: number
}

export type McpSession = Stored<McpSessionRecord>

/** Whether the MCP session is one of HTTP+SSE, whose id is a session id. */
export function isOverSse(mcpSessionId: string): boolean {
  return mcpSessionId.startsWith('ses_')
}

export interface NewMcpSession {
  readonly sessionId: string
  readonly needsToken: boolean
  /** Set over HTTP+SSE, where the client knows the session's id. */
  readonly id?: string
  readonly initialize?: InitializeRequest['params']
  readonly protocolVersion?: string
  /** The storage budget that the record is charged to; unlimited if omitted. */
  readonly storage?: StorageBudget
}

/** Key of the MCP session's own log: messages outside POST responses, for its GET stream. */
export function ownStreamKey(mcpSessionId: string): string {
  return `{${mcpSessionId}}:stream`
}

/** The store key of an MCP session. */
export function mcpSessionKey(id: string): string {
  return `{${id}}:conn`
}

export function recordOf({
  id = createId('con'),
  initialize,
  protocolVersion,
  ...owner
}: Omit<NewMcpSession, 'storage'>): McpSessionRecord {
  return {
    ...{ schema: CONNECTION_SCHEMA, id, ...owner },
    initialize: initialize ?? null,
    protocolVersion: protocolVersion ?? null,
    ...{ logLevel: null, subscriptions: [], calls: {}, holder: null, generation: 0 },
  }
}

/** Also the error for an MCP session of another owner, to prevent enumeration. */
export function mcpSessionEnded(): AppError {
  return new AppError('not_found', 'Session not found.')
}

/** The expiration of an MCP session, which depends on whether it has a token. */
export function createExpirations(deps: SlidingExpirationDeps, ttlSeconds: number) {
  // The TTL of the key decides: nodes of the last release renew it without writing stamps.
  const anonymous = new SlidingExpiration(deps, ttlSeconds)
  // Each call renews the session of its token, so that its MCP session may outlive that.
  const ofToken = new SlidingExpiration(deps, ttlSeconds, 15 * 60_000)
  return ({ needsToken }: McpSessionRecord) => (needsToken ? ofToken : anonymous)
}
