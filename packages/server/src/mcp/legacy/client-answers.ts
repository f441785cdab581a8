/** Requests we sent to clients, waiting for an answer that comes in anywhere. */

import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import type { Node } from '../nodes/node.ts'

export type Deliver = (message: JSONRPCMessage) => void

export interface ClientAnswers {
  /**
   * A name for a request of ours, `<node>.<n>`: it says which node waits for the answer, and no two
   * server instances share one, although each numbers its requests from 0.
   */
  expect(connectionId: string, deliver: Deliver): string
  forget(wireId: string): void
  /**
   * Hands what a client sent about `wireId` to the node that waits. One that nobody waits for on
   * that connection is dropped: it came too late, or it is somebody else's.
   */
  deliver(connectionId: string, wireId: unknown, message: JSONRPCMessage): Promise<void>
}

const WIRE_ID = /^([0-9a-f]{12})\.\d{1,15}$/

export function createClientAnswers(node: Node): ClientAnswers {
  const waiting = new Map<string, { readonly connectionId: string; readonly deliver: Deliver }>()
  let count = 0

  function deliverHere(connectionId: string, wireId: string, message: JSONRPCMessage): void {
    const found = waiting.get(wireId)
    if (found?.connectionId === connectionId) found.deliver(message)
  }

  node.onLetter((letter) => {
    if (letter.kind === 'answer') deliverHere(letter.connectionId, letter.wireId, letter.message)
  })

  return {
    expect(connectionId, deliver) {
      count += 1
      const wireId = `${node.id}.${count}`
      waiting.set(wireId, { connectionId, deliver })
      return wireId
    },
    forget: (wireId) => waiting.delete(wireId),
    async deliver(connectionId, wireId, message) {
      const [, waitingNode] = WIRE_ID.exec(String(wireId)) ?? []
      if (waitingNode === undefined) return
      if (waitingNode === node.id) deliverHere(connectionId, String(wireId), message)
      else
        await node.tell(waitingNode, {
          kind: 'answer',
          connectionId,
          wireId: String(wireId),
          message,
        })
    },
  }
}
