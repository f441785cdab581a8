/** Appends messages to an MCP session's own stream, for the node that holds its GET stream. */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { entryBytes, type StorageBudget } from '../../store/storage-budget.ts'
import type { AppendOptions, Streams } from '../../store/streams.ts'
import type { ClusterNode } from '../nodes/cluster-node.ts'
import { retryWrite } from '../nodes/retry-write.ts'
import { type McpSessions, mcpSessionKey, ownStreamKey } from './mcp-session.ts'

export const OWN_STREAM_BOUNDS = {
  ...{ maxLength: 500, maxBytes: 16 * 1024 * 1024, ttlSeconds: 3600 },
}

export interface OwnStreamDeps {
  readonly node: ClusterNode
  readonly streams: Streams
  readonly mcpSessions: McpSessions
}

/**
 * Appends a message and notifies the holder of the stream. Sequential sends keep their order. The
 * condition is that of `Streams.append`, by default that the MCP session exists; returns false and
 * sends nothing if the condition does not hold.
 */
export type SendToMcpSession = (
  connectionId: string,
  message: JSONRPCMessage,
  condition?: Pick<AppendOptions, 'onlyIf' | 'takes'>,
  storage?: StorageBudget,
) => Promise<boolean>

export function createSendToMcpSession(deps: OwnStreamDeps): SendToMcpSession {
  const { node, streams, mcpSessions } = deps
  return async (connectionId, message, condition, storage) => {
    const stream = ownStreamKey(connectionId)
    const options = {
      ...OWN_STREAM_BOUNDS,
      ...(condition ?? { onlyIf: mcpSessionKey(connectionId) }),
    }
    const text = JSON.stringify(message)
    storage?.charge(entryBytes(text))
    const id = await streams.append(stream, text, options)
    if (id === undefined) return false
    const wake = async () => {
      const holder = (await mcpSessions.retrieve(connectionId))?.holder
      if (holder) await node.send(holder, { kind: 'news', stream })
    }
    // The message is written: only the notification is retried, or the client would get duplicates.
    await wake().catch(() => void retryWrite(wake, OWN_STREAM_BOUNDS.ttlSeconds))
    return true
  }
}
