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
import type { McpSession } from './mcp-session-record.ts'
import type { McpSessions } from './mcp-sessions.ts'

interface OpenedMcpSession {
  readonly id: string
  /** False if it was opened without a token, and so is unused at first. */
  readonly needsToken?: boolean
}

interface OpenedMcpSessionDeps {
  readonly node: Pick<ClusterNode, 'onControl'>
  readonly limits: Pick<Limits, 'mcpSession'>
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

/**
 * Counts each MCP session until it ends or its TTL passes without a use at this node: no message
 * reports its use at another node.
 */
export class OpenedMcpSessions {
  readonly #limits: OpenedMcpSessionDeps['limits']
  readonly #times: Required<OpenedMcpSessionTimes>
  readonly #opened = new Map<string, Counted>()

  constructor(
    { node, limits }: OpenedMcpSessionDeps,
    { ttlSeconds, unusedTtlSeconds = ttlSeconds }: OpenedMcpSessionTimes,
  ) {
    this.#limits = limits
    this.#times = { ttlSeconds, unusedTtlSeconds }
    node.onControl((control) => {
      if (control.kind === 'connection_ended') this.forget(control.connectionId)
    })
  }

  /**
   * Opens an MCP session for a caller.
   * @throws AppError `too_many_requests` at the caller's limit, before anything is stored
   */
  async open<T extends OpenedMcpSession>(caller: string, create: () => Promise<T>): Promise<T> {
    const release = this.#limits.mcpSession(caller)
    try {
      const mcpSession = await create()
      const { id, needsToken } = mcpSession
      const { ttlSeconds, unusedTtlSeconds } = this.#times
      const seconds = needsToken === false ? unusedTtlSeconds : ttlSeconds
      this.#opened.set(id, { timer: this.#forgetAfter(id, seconds), release })
      return mcpSession
    } catch (error) {
      release()
      throw error
    }
  }

  /** Stops counting an MCP session that its client does not get. */
  forget(id: string): void {
    const found = this.#opened.get(id)
    this.#opened.delete(id)
    clearTimeout(found?.timer)
    found?.release()
  }

  /** Renews the count of an MCP session on use. */
  used(id: string): void {
    const found = this.#opened.get(id)
    if (found === undefined) return
    if (found.isUsed) {
      found.timer.refresh()
      return
    }
    clearTimeout(found.timer)
    const timer = this.#forgetAfter(id, this.#times.ttlSeconds)
    this.#opened.set(id, { ...found, isUsed: true, timer })
  }

  #forgetAfter(id: string, seconds: number): NodeJS.Timeout {
    return later(seconds * 1000, () => this.forget(id))
  }
}

/** Prefetched MCP session, or its pending read; null if absent. Ownership not verified. */
export type PrefetchedMcpSession = McpSession | null | Promise<McpSession | undefined>

/** The fields of a request that identify its MCP session and its caller. */
export interface McpSessionReference {
  /** `Mcp-Protocol-Version`. */
  readonly version: string | undefined
  /** `Mcp-Session-Id`. */
  readonly id: string | undefined
  readonly owner: Pick<TokenSession, 'id'> | undefined
  readonly prefetched: PrefetchedMcpSession | undefined
}

interface FindMcpSessionDeps {
  readonly mcpSessions: Pick<McpSessions, 'peek' | 'use'>
  readonly openedMcpSessions: Pick<OpenedMcpSessions, 'used'>
}

/** Reads an MCP session by its `Mcp-Session-Id`, without verifying its ownership. */
export async function prefetchMcpSession(
  id: string,
  mcpSessions: Pick<McpSessions, 'peek'>,
): Promise<McpSession | undefined> {
  return id.startsWith('con_') ? mcpSessions.peek(id) : undefined
}

export type FindMcpSession = ReturnType<typeof createFindMcpSession>

export function createFindMcpSession({ mcpSessions, openedMcpSessions }: FindMcpSessionDeps) {
  function counted(mcpSession: McpSession, isRequest: boolean): McpSession {
    if (isRequest || mcpSession.needsToken) openedMcpSessions.used(mcpSession.id)
    return mcpSession
  }

  function use(
    found: McpSession | undefined,
    owner: McpSessionReference['owner'],
    isRequest: boolean,
  ): McpSession | Promise<McpSession> {
    const using = mcpSessions.use(found, owner, isRequest)
    if (using instanceof Promise) return using.then((used) => counted(used, isRequest))
    return counted(using, isRequest)
  }

  /**
   * Finds the MCP session that a request names. Returns a promise only if there is a wait.
   * `isRequest` is false for notifications and responses: only requests count as use.
   * @throws AppError `invalid_request`, `not_found`
   */
  return (
    { version, id, owner, prefetched }: McpSessionReference,
    isRequest: boolean,
  ): McpSession | Promise<McpSession> => {
    if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
      throw new AppError('invalid_request', 'Unsupported protocol version.')
    }
    if (id === undefined) throw new AppError('invalid_request', 'Mcp-Session-Id is missing.')
    if (prefetched !== undefined && !(prefetched instanceof Promise)) {
      return use(prefetched ?? undefined, owner, isRequest)
    }
    const finding = prefetched ?? prefetchMcpSession(id, mcpSessions)
    return finding.then((found) => use(found, owner, isRequest))
  }
}
