/**
 * Connections without a token that nobody has used: each has a mark beside it, which its first
 * request takes away, on whichever node. Until then it and its session expire soon.
 */

import type { Document, Store } from '../../store/port.ts'
import { createRecent } from '../../store/recent.ts'

/** The key of a connection in the store. */
export function connectionKey(id: string): string {
  return `{${id}}:conn`
}

interface Unused {
  readonly id: string
  readonly sessionId: string
}

export interface UnusedConnectionDeps {
  readonly store: Pick<Store, 'set' | 'get' | 'touch' | 'delete'>
  readonly sessions: { touch(id: string, ttlSeconds: number): Promise<boolean> }
}

export interface UnusedConnectionTimes {
  readonly ttlSeconds: number
  readonly unusedTtlSeconds: number
}

/** Some 100 bytes each. Of more of them each request asks the store. */
const MOST_REMEMBERED = 20_000
/** The mark outlives its connection: one that has none is used. */
const MARGIN_SECONDS = 5

export function createUnusedConnections(
  { store, sessions }: UnusedConnectionDeps,
  { ttlSeconds, unusedTtlSeconds }: UnusedConnectionTimes,
) {
  /** Those known to be used, which they stay. */
  const knownUsed = createRecent<true>(MOST_REMEMBERED)
  const markKey = (id: string) => `{${id}}:unused`
  const markSeconds = unusedTtlSeconds + MARGIN_SECONDS

  async function live({ id, sessionId }: Unused, seconds: number): Promise<void> {
    await Promise.all([store.touch(connectionKey(id), seconds), sessions.touch(sessionId, seconds)])
  }

  return {
    async create(record: Unused & Document): Promise<void> {
      await store.set(markKey(record.id), {}, markSeconds)
      await store.set(connectionKey(record.id), record, unusedTtlSeconds)
    },

    /** Whether the connection is used by now; a request (`isRequest`) is its use. */
    async isUsed(connection: Unused, isRequest: boolean): Promise<boolean> {
      const { id } = connection
      if (knownUsed.get(id)) return true
      if (!isRequest && (await store.get(markKey(id))) !== undefined) return false
      if (isRequest && (await store.delete(markKey(id)))) await live(connection, ttlSeconds)
      knownUsed.set(id, true)
      return true
    },

    /** Takes away what is beside a connection that ends. */
    forget: (id: string) => store.delete(markKey(id)),

    /** Renews one whose stream is open; false when it is used, or has ended. */
    async renew(id: string): Promise<boolean> {
      const connection = await store.get<Unused & Document>(connectionKey(id))
      if (connection === undefined || (await store.get(markKey(id))) === undefined) return false
      await live(connection, unusedTtlSeconds)
      if (await store.touch(markKey(id), markSeconds)) return true
      // Its first request came meanwhile, and must not be undone.
      await live(connection, ttlSeconds)
      return false
    },
  }
}
