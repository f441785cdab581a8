/** A 2025-era connection: what its `initialize` said, kept so that any node can serve the rest. */

import type { InitializeRequest } from '@modelcontextprotocol/server'
import { createId } from '../crypto/random-id.ts'
import type { Store } from '../store/port.ts'

const CONNECTION_SCHEMA = 1

export interface ConnectionRecord {
  readonly [field: string]: unknown
  readonly schema: typeof CONNECTION_SCHEMA
  /** `con_` and 256 random bits: the `Mcp-Session-Id`. */
  readonly id: string
  readonly sessionId: string
  readonly protocolVersion: string
  /** The parameters of `initialize`, as far as a replay needs them. */
  readonly initialize: InitializeRequest['params']
}

export type NewConnection = Pick<ConnectionRecord, 'sessionId' | 'protocolVersion' | 'initialize'>

export interface Connections {
  create(connection: NewConnection): Promise<ConnectionRecord>
  /** The connection, its time-to-live slid on; undefined when it is unknown or has ended. */
  retrieve(id: string): Promise<ConnectionRecord | undefined>
  /** Gives the connection another session, after the one it had was ended. */
  changeSession(id: string, sessionId: string): Promise<void>
  /** False when it had ended before. */
  end(id: string): Promise<boolean>
}

/** Connections live as long as sessions do. */
export function createConnections(
  store: Store,
  { ttlSeconds }: { readonly ttlSeconds: number },
): Connections {
  const key = (id: string) => `{${id}}:conn`
  return {
    async create(connection) {
      const record = { ...connection, schema: CONNECTION_SCHEMA, id: createId('con') } as const
      await store.set(key(record.id), record, ttlSeconds)
      return record
    },
    retrieve: (id) => store.touch<ConnectionRecord>(key(id), ttlSeconds),
    async changeSession(id, sessionId) {
      await store.patch(key(id), { sessionId })
    },
    end: (id) => store.delete(key(id)),
  }
}
