/**
 * Limits the live MCP sessions that each caller has opened at this node, and finds the one that a
 * request names: verifies its ownership and counts the use.
 */

import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import type { Limits, Release } from '../limits.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import { later } from '../nodes/stream-checks.ts'
import type { McpSessions } from './mcp-session.ts'
import type { McpSession } from './mcp-session-record.ts'

interface OpenedMcpSession {
  readonly id: string
  /** False for one that was opened without a token and is unused. */
  readonly needsToken?: boolean
}

interface OpenedMcpSessionDeps {
  readonly node: ClusterNode
  readonly limits: Limits
}

interface OpenedMcpSessionTimes {
  readonly ttlSeconds: number
  /** TTL of unused MCP sessions; `ttlSeconds` if omitted. */
  readonly unusedTtlSeconds?: number
}

interface Counted {
  readonly timer: NodeJS.Timeout
  readonly release: Release
  /** Whether the timer has the TTL of a used MCP session. */
  readonly isUsed?: true
}

export type OpenedMcpSessions = ReturnType<typeof createOpenedMcpSessions>

/** Counts MCP sessions used only at other nodes for `ttlSeconds`: no message reports their use. */
export function createOpenedMcpSessions(
  { node, limits }: OpenedMcpSessionDeps,
  { ttlSeconds, unusedTtlSeconds = ttlSeconds }: OpenedMcpSessionTimes,
) {
  const opened = new Map<string, Counted>()

  const forgetAfter = (id: string, seconds: number) => later(seconds * 1000, () => forget(id))

  function forget(id: string): void {
    const found = opened.get(id)
    opened.delete(id)
    clearTimeout(found?.timer)
    found?.release()
  }

  node.onControl((control) => {
    if (control.kind === 'connection_ended') forget(control.connectionId)
  })

  return {
    /**
     * Opens an MCP session for a caller.
     * @throws AppError `too_many_requests` at the caller's limit, before anything is stored
     */
    async open<T extends OpenedMcpSession>(caller: string, create: () => Promise<T>): Promise<T> {
      const release = limits.mcpSession(caller)
      try {
        const mcpSession = await create()
        const { id, needsToken } = mcpSession
        const seconds = needsToken === false ? unusedTtlSeconds : ttlSeconds
        opened.set(id, { timer: forgetAfter(id, seconds), release })
        return mcpSession
      } catch (error) {
        release()
        throw error
      }
    },
    /** Renews the count of an MCP session on use. */
    used(id: string): void {
      const found = opened.get(id)
      if (found === undefined) return
      if (found.isUsed) {
        found.timer.refresh()
        return
      }
      clearTimeout(found.timer)
      opened.set(id, { ...found, isUsed: true, timer: forgetAfter(id, ttlSeconds) })
    },
  }
}

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

interface FindMcpSessionDeps {
  readonly mcpSessions: McpSessions
  readonly opened: OpenedMcpSessions
}

/** Reads an MCP session by its id, without verifying its ownership. */
export async function lookUp(id: string, { peek }: McpSessions): Promise<McpSession | undefined> {
  return id.startsWith('con_') ? peek(id) : undefined
}

/**
 * Returns a promise only if there is a wait. `isRequest` is false for notifications and responses:
 * only requests count as use.
 * @throws AppError `invalid_request`, `not_found`
 */
export function findMcpSession(
  { version, id, owner, ahead }: NamedMcpSession,
  { mcpSessions, opened }: FindMcpSessionDeps,
  isRequest = false,
): McpSession | Promise<McpSession> {
  if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
    throw new AppError('invalid_request', 'Unsupported protocol version.')
  }
  if (id === undefined) throw new AppError('invalid_request', 'Mcp-Session-Id is missing.')
  if (ahead === undefined || ahead instanceof Promise) return useLater()
  const using = mcpSessions.use(ahead ?? undefined, owner, isRequest)
  return using instanceof Promise ? using.then(counted) : counted(using)

  async function useLater(): Promise<McpSession> {
    const found = await (ahead ?? lookUp(id ?? '', mcpSessions))
    return counted(await mcpSessions.use(found ?? undefined, owner, isRequest))
  }

  function counted(mcpSession: McpSession): McpSession {
    if (isRequest || mcpSession.needsToken) opened.used(id ?? '')
    return mcpSession
  }
}
