/** Clients that a user has authorized, to which error redirects are safe (no open redirector). */

import { sha256 } from '../../crypto/hash.ts'
import type { Store } from '../../store/port.ts'
import { describeTarget } from '../redirect-uris.ts'

export interface ConsentedClients {
  /** Records that a user authorized the client, and renews the record's TTL on use. */
  remember(clientId: string): Promise<void>
  /**
   * Whether an error may redirect the browser to the client before the user has seen a page
   * (RFC 9700, section 4.11.2: open redirector). https targets require a client that a user has
   * authorized or that is pre-registered. Native apps (loopback, custom scheme) are always
   * accepted: they run on the user's own device.
   */
  acceptsErrorRedirect(clientId: string, redirectUri: string): Promise<boolean>
}

export function createConsentedClients(
  store: Pick<Store, 'get' | 'set'>,
  {
    clients,
    ttlSeconds,
  }: {
    /** The pre-registered clients. */
    readonly clients: readonly Readonly<Record<string, unknown>>[]
    readonly ttlSeconds: number
  },
): ConsentedClients {
  const preRegistered = new Set(clients.map(({ client_id }) => client_id))
  const keyOf = (clientId: string) => `oauth:AuthorizedClient:${sha256(clientId)}`
  return {
    remember: (clientId) => store.set(keyOf(clientId), {}, ttlSeconds),
    async acceptsErrorRedirect(clientId, redirectUri) {
      if (preRegistered.has(clientId) || describeTarget(redirectUri).kind !== 'https') return true
      return (await store.get(keyOf(clientId))) !== undefined
    },
  }
}
