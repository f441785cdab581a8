/** The provider's storage: what differs from model to model in an authorization server for MCP. */

import Provider, { type Adapter, type AdapterFactory, errors } from 'oidc-provider'
import type { Entries } from '../../oidc/entries.ts'
import { createStoreAdapter, unexpired } from '../../oidc/store-adapter.ts'
import { CONSENT_TTL_SECONDS, UNUSED_CLIENT_TTL_SECONDS } from './options.ts'
import { rememberSuccessor } from './refresh-tokens.ts'
import { spendOnEntry } from './request-storage.ts'
import { shownSession } from './requests.ts'
import { payloadOf, type TokenEntries } from './token-entries.ts'
import { forProvider } from './unavailable.ts'

/** Parallel exchanges of one code are a client's doing; what comes later is a replay. */
const CODE_RACE_SECONDS = 2

export interface ServerAdapterOptions {
  readonly refreshGraceSeconds: number
  /** Told when all that a grant gave is dead; a grant has the id of its session. */
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

  async function revokeGrant(adapter: Adapter, grantId: string): Promise<void> {
    await Promise.all([adapter.revokeByGrantId(grantId), tokens.revokeGrant(grantId)])
  }

  /** For one release entries are written in the form of the last one, too: its nodes read no other. */
  function accessTokenAdapter(sealed: Adapter): Adapter {
    return {
      ...sealed,
      async upsert(id, payload, expiresIn) {
        await Promise.all([
          tokens.write(id, payload, expiresIn),
          sealed.upsert(id, payload, expiresIn),
        ])
      },
      async find(id) {
        const sessionId = shownSession()
        if (sessionId === undefined) return undefined
        const entry = await tokens.read(sessionId, id)
        if (entry === undefined) return sealed.find(id)
        if (await entries.isRevoked(sessionId)) return undefined
        return unexpired(payloadOf(id, sessionId, entry))
      },
      async destroy(id) {
        const sessionId = shownSession()
        if (sessionId !== undefined) await tokens.remove(sessionId, id)
        await sealed.destroy(id)
      },
      async revokeByGrantId(grantId) {
        if (isOneAccessToken()) return
        await revokeGrant(sealed, grantId)
        await onRevoked(grantId)
      },
    }
  }

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
        return accessTokenAdapter(adapter)
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
            if (!isOneAccessToken()) await revokeGrant(adapter, grantId)
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

/** RFC 7009, 2.1 leaves it to us: who gives back an access token keeps the refresh token. */
function isOneAccessToken(): boolean {
  const oidc = Provider.ctx?.oidc
  return oidc?.route === 'revocation' && oidc.entities.AccessToken !== undefined
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
