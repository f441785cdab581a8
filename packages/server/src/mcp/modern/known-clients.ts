/**
 * A bounded cache of 2026-era client envelopes that the SDK has accepted: requests with an equal
 * envelope skip validation. The number of distinct clients is small.
 */

import type { JSONRPCRequest } from '@modelcontextprotocol/server'
import { type CallingClient, type ClientEnvelope, clientOf } from '../client-facts.ts'
import type { ToolRequest } from '../tool-request.ts'

/** A client that receives no notifications before the response. */
export type QuietClient = CallingClient & Pick<ToolRequest['client'], 'log' | 'closeStream'>

/** The client of an envelope without a log level. */
export function quietClientOf(envelope: ClientEnvelope): QuietClient {
  return { ...clientOf(envelope), log: async () => undefined, closeStream: () => undefined }
}

const MOST_ENVELOPES = 200
/** Limit of a cached envelope, in characters. */
const LONGEST_ENVELOPE = 2000

export type KnownClients = ReturnType<typeof createKnownClients>

export function createKnownClients() {
  const clients = new Map<string, QuietClient>()
  return {
    /** The client of an envelope; undefined if the SDK has not accepted an equal one. */
    find: (envelope: object): QuietClient | undefined => clients.get(JSON.stringify(envelope)),
    /** Caches the envelope of a request that the SDK has accepted. */
    remember({ params }: JSONRPCRequest): void {
      const envelope = JSON.stringify(params?._meta)
      if (envelope === undefined || envelope.length > LONGEST_ENVELOPE) return
      if (clients.size >= MOST_ENVELOPES) clients.clear()
      clients.set(envelope, quietClientOf(params?._meta as ClientEnvelope))
    },
  }
}
