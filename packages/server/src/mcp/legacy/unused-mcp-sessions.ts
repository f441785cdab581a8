/**
 * Unused anonymous MCP sessions: each has a marker key, which its first request deletes, on any
 * node. Until then the MCP session and its session have a short TTL, renewed while a stream is open.
 */

import type { Document, Store } from '../../store/port.ts'
import { createRecent } from '../../store/recent.ts'
import type { McpSessions } from './mcp-session.ts'
import { mcpSessionKey } from './mcp-session-record.ts'

interface Unused {
  readonly id: string
  readonly sessionId: string
}

interface UnusedMcpSessionDeps {
  readonly store: Pick<Store, 'set' | 'get' | 'touch' | 'delete'>
  readonly sessions: { touch(id: string, ttlSeconds: number): Promise<boolean> }
}

interface UnusedMcpSessionTimes {
  readonly ttlSeconds: number
  readonly unusedTtlSeconds: number
}

/** LRU bound, about 100 bytes an entry; beyond it each request reads the store. */
const MOST_REMEMBERED = 20_000
/** The marker outlives its MCP session: a missing marker means that it is used. */
const MARGIN_SECONDS = 5

export function createUnusedMcpSessions(
  { store, sessions }: UnusedMcpSessionDeps,
  { ttlSeconds, unusedTtlSeconds }: UnusedMcpSessionTimes,
) {
  /** LRU cache of used MCP sessions; a used one never becomes unused. */
  const knownUsed = createRecent<true>(MOST_REMEMBERED)
  const markKey = (id: string) => `{${id}}:unused`
  const markSeconds = unusedTtlSeconds + MARGIN_SECONDS

  async function live({ id, sessionId }: Unused, seconds: number): Promise<void> {
    await Promise.all([store.touch(mcpSessionKey(id), seconds), sessions.touch(sessionId, seconds)])
  }

  async function readUsed(mcpSession: Unused, isRequest: boolean): Promise<boolean> {
    const { id } = mcpSession
    if (!isRequest && (await store.get(markKey(id))) !== undefined) return false
    if (isRequest && (await store.delete(markKey(id)))) await live(mcpSession, ttlSeconds)
    knownUsed.set(id, true)
    return true
  }

  return {
    async create(record: Unused & Document): Promise<void> {
      await store.set(markKey(record.id), {}, markSeconds)
      await store.set(mcpSessionKey(record.id), record, unusedTtlSeconds)
    },

    /** Whether the MCP session is used; a request (`isRequest`) makes it so. */
    isUsed: (mcpSession: Unused, isRequest: boolean): boolean | Promise<boolean> =>
      knownUsed.get(mcpSession.id) === true || readUsed(mcpSession, isRequest),

    /** Deletes the marker of an MCP session that ends. */
    forget: (id: string) => store.delete(markKey(id)),

    /** Renews the TTL while a stream is open; returns false if the MCP session is used or ended. */
    async renew(id: string): Promise<boolean> {
      const mcpSession = await store.get<Unused & Document>(mcpSessionKey(id))
      if (mcpSession === undefined || (await store.get(markKey(id))) === undefined) return false
      await live(mcpSession, unusedTtlSeconds)
      if (await store.touch(markKey(id), markSeconds)) return true
      // Race: the first request came in between; restores the TTL that it set.
      await live(mcpSession, ttlSeconds)
      return false
    },
  }
}

export interface KeepTimes {
  /** TTL of an unused MCP session, after its stream is closed. */
  readonly unusedTtlSeconds: number
}

/** Renews the MCP session until it is used or has ended. Returns the function that stops it. */
export function keepUnused(
  { renewUnused }: Pick<McpSessions, 'renewUnused'>,
  id: string,
  { unusedTtlSeconds }: KeepTimes,
): () => void {
  const timer = setInterval(
    () => {
      renewUnused(id).then(
        (renewed) => {
          if (!renewed) clearInterval(timer)
        },
        // The store is unavailable: the next renewal may succeed.
        () => undefined,
      )
    },
    (unusedTtlSeconds * 1000) / 4,
  ).unref()
  return () => clearInterval(timer)
}
