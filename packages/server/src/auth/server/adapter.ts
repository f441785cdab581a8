/** The provider's storage adapter, with the differences between models. */

import Provider, { type Adapter, type AdapterFactory, errors } from 'oidc-provider'
import type { Entries } from '../../oidc/entries.ts'
import { createStoreAdapter } from '../../oidc/store-adapter.ts'
import { accessTokenAdapter, isOneAccessToken, revokeGrant } from './access-token-adapter.ts'
import { CONSENT_TTL_SECONDS, UNUSED_CLIENT_TTL_SECONDS } from './options.ts'
import { rememberSuccessor } from './refresh-tokens.ts'
import { spendOnEntry } from './request-storage.ts'
import type { TokenEntries } from './token-entries.ts'
import { forProvider } from './unavailable.ts'

/** Parallel exchanges of one code in this time are a client's race; a later one is a replay. */
const CODE_RACE_SECONDS = 2

export interface ServerAdapterOptions {
  readonly refreshGraceSeconds: number
  /** Called when a grant and all its tokens are revoked. */
  readonly onRevoked: (grantId: string) => Promise<unknown>
}

export interface ServerAdapterDeps {
  readonly entries: Entries
  readonly tokens: TokenEntries
}

export function createServerAdapter(
  { entries, tokens }: ServerAdapterDeps,
  { refreshGraceSeconds, onRevoked }: ServerAdapterOptions,
): AdapterFactory {
  const stored = createStoreAdapter(entries, {
    codeRaceSeconds: CODE_RACE_SECONDS,
    refreshGraceSeconds,
    onSuccessor: rememberSuccessor,
  })

  function adapterOf(model: string): Adapter {
    const adapter = stored(model)
    switch (model) {
      case 'Client':
        return {
          ...adapter,
          upsert(id, { client_secret_expires_at: _, ...metadata }) {
            // Expires unused registrations early; use extends the TTL to the advertised expiry.
            return adapter.upsert(id, metadata, UNUSED_CLIENT_TTL_SECONDS)
          },
        }
      case 'Interaction':
        return {
          ...adapter,
          async destroy(id) {
            // Single use: an authorization yields one code, also if parallel requests finish it or
            // write it back.
            if (!(await entries.markUse(model, id, CONSENT_TTL_SECONDS))) {
              throw new errors.SessionNotFound('the authorization was already answered')
            }
            await adapter.destroy(id)
          },
        }
      case 'AccessToken':
        return accessTokenAdapter(adapter, { entries, tokens, onRevoked })
      case 'AuthorizationCode':
      case 'RefreshToken':
        return {
          ...adapter,
          async find(id) {
            const found = (await adapter.find(id)) ?? undefined
            checkResource(found?.resource)
            return found
          },
          async revokeByGrantId(grantId) {
            if (!isOneAccessToken()) await revokeGrant(tokens, adapter, grantId)
          },
        }
      default:
        return adapter
    }
  }

  // Does not store browser sessions.
  return (model) =>
    model === 'Session' ? withoutBrowserSessions(stored(model)) : telling(adapterOf(model))
}

/**
 * RFC 8707, 2.2: refuses a resource that was not granted. The library checks the resource only
 * after it has consumed the code.
 */
function checkResource(granted: string | string[] | undefined): void {
  const asked = Provider.ctx?.oidc.params?.resource
  if (asked === undefined || granted === undefined || Provider.ctx?.oidc.route !== 'token') return
  if (![asked].flat().every((each) => [granted].flat().includes(String(each)))) {
    throw new errors.InvalidTarget()
  }
}

/** Disables the provider's browser sessions: each authorization asks for consent again. */
function withoutBrowserSessions(adapter: Adapter): Adapter {
  return { ...adapter, find: async () => undefined, upsert: async () => undefined }
}

function telling(adapter: Adapter): Adapter {
  return {
    find: (id) => forProvider(async () => adapter.find(id)),
    upsert: (id, payload, expiresIn) =>
      forProvider(async () => {
        await spendOnEntry(payload)
        await adapter.upsert(id, payload, expiresIn)
      }),
    consume: (id) => forProvider(async () => adapter.consume(id)),
    destroy: (id) => forProvider(async () => adapter.destroy(id)),
    revokeByGrantId: (grantId) => forProvider(async () => adapter.revokeByGrantId(grantId)),
    findByUid: adapter.findByUid,
    findByUserCode: adapter.findByUserCode,
  }
}
