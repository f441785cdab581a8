/** What a connection is told besides answers to its POSTs; read by whichever node holds its GET stream. */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import type { Streams } from '../../store/streams.ts'
import type { Node } from '../nodes/node.ts'
import { type Connections, connectionKey } from './connection.ts'
import type { StreamNews } from './stream-news.ts'

const BOUNDS = { maxLength: 500, ttlSeconds: 3600 }

export function ownStreamKey(connectionId: string): string {
  return `{${connectionId}}:stream`
}

export interface OwnStreams {
  /** Puts messages at the end of the connection's stream, in order, and wakes its holder. */
  send(connectionId: string, messages: readonly JSONRPCMessage[]): Promise<void>
  /** Wakes the holder: what the connection asked for has changed. */
  wake(connectionId: string, holder: string | null): Promise<void>
}

export interface OwnStreamDeps {
  readonly node: Node
  readonly streams: Streams
  readonly news: StreamNews
  readonly connections: Connections
}

export function createOwnStreams({ node, streams, news, connections }: OwnStreamDeps): OwnStreams {
  async function wake(connectionId: string, holder: string | null): Promise<void> {
    const stream = ownStreamKey(connectionId)
    if (holder === node.id) news.announce(stream)
    else if (holder !== null) await node.tell(holder, { kind: 'news', stream })
  }

  return {
    wake,
    async send(connectionId, messages) {
      const options = { ...BOUNDS, onlyIf: connectionKey(connectionId) }
      const key = ownStreamKey(connectionId)
      await Promise.all(
        messages.map((message) => streams.append(key, JSON.stringify(message), options)),
      )
      const connection = await connections.retrieve(connectionId)
      if (connection !== undefined) await wake(connectionId, connection.holder)
    },
  }
}
