/** The provider's storage of access tokens, in the Redis Cluster hash slots of their sessions. */

import Provider, { type Adapter } from 'oidc-provider'
import type { Entries } from '../../oidc/entries.ts'
import { unexpired } from '../../oidc/store-adapter.ts'
import { shownSession } from './requests.ts'
import { payloadOf, type TokenEntries } from './token-entries.ts'

export interface AccessTokenAdapterDeps {
  readonly entries: Pick<Entries, 'isRevoked'>
  readonly tokens: TokenEntries
  readonly onRevoked: (grantId: string) => Promise<unknown>
}

/**
 * `sealed` stores entries in the format of the previous release. Writes both formats for one
 * release (rolling upgrade): nodes of the previous release read only their own format, and their
 * revocations remove only entries in it.
 */
export function accessTokenAdapter(
  sealed: Adapter,
  { entries, tokens, onRevoked }: AccessTokenAdapterDeps,
): Adapter {
  return {
    ...sealed,
    async upsert(id, payload, expiresIn) {
      await tokens.write(id, payload, expiresIn)
      await sealed.upsert(id, payload, expiresIn)
    },
    async find(id) {
      const sessionId = shownSession()
      if (sessionId === undefined) return undefined
      const kept = await sealed.find(id)
      const entry = kept && (await tokens.read(sessionId, id))
      if (entry === undefined) return kept
      if (await entries.isRevoked(entry.grantId ?? sessionId)) return undefined
      return unexpired(payloadOf(id, sessionId, entry))
    },
    async destroy(id) {
      const sessionId = shownSession()
      if (sessionId !== undefined) await tokens.remove(sessionId, id)
      await sealed.destroy(id)
    },
    async revokeByGrantId(grantId) {
      if (isOneAccessToken()) return
      await revokeGrant(tokens, sealed, grantId)
      await onRevoked(grantId)
    },
  }
}

/** Revokes a grant for its codes and refresh tokens (adapter), and in the session's hash slot. */
export async function revokeGrant(
  tokens: TokenEntries,
  adapter: Adapter,
  grantId: string,
): Promise<void> {
  await Promise.all([adapter.revokeByGrantId(grantId), tokens.revokeGrant(grantId)])
}

/**
 * Whether the request revokes an access token, which leaves its grant and refresh token valid.
 * RFC 7009, 2.1 permits either.
 */
export function isOneAccessToken(): boolean {
  const oidc = Provider.ctx?.oidc
  return oidc?.route === 'revocation' && oidc.entities.AccessToken !== undefined
}
