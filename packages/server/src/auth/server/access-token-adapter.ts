/** The provider's storage of access tokens, in the slots of their sessions. */

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
 * `sealed` keeps the entries of the last release. For one release they are written besides: its nodes
 * read no others, and what they revoke is gone from there alone.
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

/** A grant is revoked where its codes and refresh tokens look, and in its session's slot. */
export async function revokeGrant(
  tokens: TokenEntries,
  adapter: Adapter,
  grantId: string,
): Promise<void> {
  await Promise.all([adapter.revokeByGrantId(grantId), tokens.revokeGrant(grantId)])
}

/** RFC 7009, 2.1 leaves it to us: who gives back an access token keeps the refresh token. */
export function isOneAccessToken(): boolean {
  const oidc = Provider.ctx?.oidc
  return oidc?.route === 'revocation' && oidc.entities.AccessToken !== undefined
}
