/** Finds the connection that a request names, and counts it as used by whoever may use it. */

import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server'
import { AppError } from '../../errors.ts'
import type { TokenSession } from '../nodes/session-ends.ts'
import type { Connection, Connections } from './connection.ts'
import type { OpenedConnections } from './opened-connections.ts'

/** What somebody has found, or null for nothing, or is looking up: not yet whose it is. */
export type LookedUp = Connection | null | Promise<Connection | undefined>

/** What a request says of its connection. */
export interface NamedConnection {
  /** `Mcp-Protocol-Version`. */
  readonly version: string | undefined
  /** `Mcp-Session-Id`. */
  readonly id: string | undefined
  readonly owner: Pick<TokenSession, 'id'> | undefined
  readonly ahead: LookedUp | undefined
}

export interface FindConnectionDeps {
  readonly connections: Connections
  readonly opened: OpenedConnections
}

/** Looks a connection up by its id, for whoever calls. */
export async function lookUp(id: string, { peek }: Connections): Promise<Connection | undefined> {
  return id.startsWith('con_') ? peek(id) : undefined
}

/**
 * `isRequest` tells requests from what else a client sends: they alone are its use.
 * @throws AppError `invalid_request`, `not_found`
 */
export async function findConnection(
  { version, id, owner, ahead }: NamedConnection,
  { connections, opened }: FindConnectionDeps,
  isRequest = false,
): Promise<Connection> {
  if (version !== undefined && !SUPPORTED_PROTOCOL_VERSIONS.includes(version)) {
    throw new AppError('invalid_request', 'Unsupported protocol version.')
  }
  if (id === undefined) throw new AppError('invalid_request', 'Mcp-Session-Id is missing.')
  const looking = ahead === undefined ? lookUp(id, connections) : ahead
  const found = looking instanceof Promise ? await looking : (looking ?? undefined)
  const connection = await connections.use(found, owner, isRequest)
  if (isRequest || connection.needsToken) opened.used(id)
  return connection
}
