/** Requests we sent to clients, waiting for an answer that comes in on another HTTP request. */

import { randomBytes } from 'node:crypto'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'

export type Deliver = (message: JSONRPCMessage) => void

export interface ClientAnswers {
  /**
   * A name for a request of ours, `<node>.<n>`: it says which node waits for the answer, and no two
   * server instances share one, although each numbers its requests from 0.
   */
  expect(connectionId: string, deliver: Deliver): string
  forget(wireId: string): void
  /** Hands over what a client sent about `wireId`; false when nobody waits on that connection. */
  deliver(connectionId: string, wireId: unknown, message: JSONRPCMessage): boolean
}

export function createClientAnswers(): ClientAnswers {
  const node = randomBytes(6).toString('hex')
  const waiting = new Map<string, { readonly connectionId: string; readonly deliver: Deliver }>()
  let count = 0
  return {
    expect(connectionId, deliver) {
      count += 1
      const wireId = `${node}.${count}`
      waiting.set(wireId, { connectionId, deliver })
      return wireId
    },
    forget: (wireId) => waiting.delete(wireId),
    deliver(connectionId, wireId, message) {
      const found = waiting.get(String(wireId))
      if (found?.connectionId !== connectionId) return false
      found.deliver(message)
      return true
    },
  }
}
