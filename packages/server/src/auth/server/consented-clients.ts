/** Which clients somebody has authorized, and to whom errors are therefore redirected. */

import { sha256 } from '../../crypto/hash.ts'
import type { Store } from '../../store/port.ts'
import { describeTarget } from '../redirect-uris.ts'

export interface ConsentedClients {
  /** Somebody has authorized it, or it is used: renews how long that is remembered. */
  remember(clientId: string): Promise<void>
  /**
   * Whether a browser may be redirected there with an error that no person has seen (RFC 9700,
   * section 4.11.2). The web is for clients that somebody has authorized or the operator knows. An
   * app on the person's own machine may be told at once: no stranger receives that.
   */
  acceptsErrorRedirect(clientId: string, redirectUri: string): Promise<boolean>
}

export function createConsentedClients(
  store: Pick<Store, 'get' | 'set'>,
  {
    clients,
    ttlSeconds,
  }: {
    /** Those of the configuration. */
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
