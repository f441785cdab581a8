/**
 * Clients of the 2026 era that the SDK has accepted, by what each of their requests says of them: the
 * same envelope needs no second look. There are not many kinds of clients.
 */

import type { JSONRPCRequest } from '@modelcontextprotocol/server'
import { type CallingClient, type ClientEnvelope, clientOf } from '../client-facts.ts'
import type { ToolRequest } from '../tool-call.ts'

/** A client that receives nothing before the answer. */
export type QuietClient = CallingClient & Pick<ToolRequest['client'], 'log' | 'closeStream'>

/** The client of an envelope without a level for log lines. */
export function quietClientOf(envelope: ClientEnvelope): QuietClient {
  return { ...clientOf(envelope), log: async () => undefined, closeStream: () => undefined }
}

export interface KnownClients {
  /** The client of an envelope; undefined where the SDK has not accepted the same one. */
  find(envelope: object): QuietClient | undefined
  /** Remembers what a request says of its client, which the SDK has accepted. */
  remember(request: JSONRPCRequest): void
}

const MOST_ENVELOPES = 200
/** Characters. */
const LONGEST_ENVELOPE = 2000

export function createKnownClients(): KnownClients {
  const clients = new Map<string, QuietClient>()
  return {
    find: (envelope) => clients.get(JSON.stringify(envelope)),
    remember({ params }) {
      const envelope = JSON.stringify(params?._meta)
      if (envelope === undefined || envelope.length > LONGEST_ENVELOPE) return
      if (clients.size >= MOST_ENVELOPES) clients.clear()
      clients.set(envelope, quietClientOf(params?._meta as ClientEnvelope))
    },
  }
}
