/** The provider's storage: what differs from model to model in an authorization server for MCP. */

import Provider, { type Adapter, type AdapterFactory, errors } from 'oidc-provider'
import type { Entries } from '../../oidc/entries.ts'
import { createStoreAdapter } from '../../oidc/store-adapter.ts'
import { accessTokenAdapter, isOneAccessToken, revokeGrant } from './access-token-adapter.ts'
import { CONSENT_TTL_SECONDS, UNUSED_CLIENT_TTL_SECONDS } from './options.ts'
import { rememberSuccessor } from './refresh-tokens.ts'
import { spendOnEntry } from './request-storage.ts'
import type { TokenEntries } from './token-entries.ts'
import { forProvider } from './unavailable.ts'

/** Parallel exchanges of one code are a client's doing; what comes later is a replay. */
const CODE_RACE_SECONDS = 2

export interface ServerAdapterOptions {
  readonly refreshGraceSeconds: number
  /** Called when all that a grant gave is dead. */
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
            // The registration expires with its secret, and later than told if it is used.
            return adapter.upsert(id, metadata, UNUSED_CLIENT_TTL_SECONDS)
          },
        }
      case 'Interaction':
        return {
          ...adapter,
          async destroy(id) {
            // Answers that come at once, or bring it back: an authorization gives one code.
            if (!(await entries.markUse(model, id, CONSENT_TTL_SECONDS))) {
              throw new errors.SessionNotFound('the authorization was answered already')
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

  // Browser sessions are not stored.
  return (model) =>
    model === 'Session' ? withoutBrowserSessions(stored(model)) : telling(adapterOf(model))
}

/**
 * RFC 8707, 2.2: a resource that was not granted. The library looks at it too late, when the code
 * has been used.
 */
function checkResource(granted: string | string[] | undefined): void {
  const asked = Provider.ctx?.oidc.params?.resource
  if (asked === undefined || granted === undefined || Provider.ctx?.oidc.route !== 'token') return
  if (![asked].flat().every((each) => [granted].flat().includes(String(each)))) {
    throw new errors.InvalidTarget()
  }
}

/** Nobody is remembered from one authorization to the next. */
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
