/**
 * The provider's storage adapter, with the differences between models: access tokens are in the
 * hash slots of their sessions, and parallel exchanges of one refresh token get one successor
 * (refresh token rotation).
 */

import Provider, {
  type AccessToken,
  type Adapter,
  type AdapterFactory,
  type Client,
  errors,
  type JWTStructured,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import type { Entries } from '../../oidc/entries.ts'
import { createStoreAdapter, unexpired } from '../../oidc/store-adapter.ts'
import { payloadOf, type TokenEntries } from './issued-tokens.ts'
import { CONSENT_TTL_SECONDS, UNUSED_CLIENT_TTL_SECONDS } from './options.ts'
import { spendOnEntry } from './request-storage.ts'
import { shownSession } from './requests.ts'
import { forProvider } from './unavailable.ts'

/** Parallel exchanges of one code in this time are a client's race; a later one is a replay. */
const CODE_RACE_SECONDS = 2

interface ServerAdapterOptions {
  readonly refreshGraceSeconds: number
  /** Called when a grant and all its tokens are revoked. */
  readonly onRevoked: (grantId: string) => Promise<unknown>
}

interface ServerAdapterDeps {
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
        return clientAdapter(adapter)
      case 'Interaction':
        return interactionAdapter(adapter, entries)
      case 'AccessToken':
        return accessTokenAdapter(adapter, { entries, tokens, onRevoked })
      case 'AuthorizationCode':
      case 'RefreshToken':
        return exchangedAdapter(adapter, tokens)
      default:
        return adapter
    }
  }

  // Does not store browser sessions.
  return (model) =>
    model === 'Session'
      ? withoutBrowserSessions(stored(model))
      : withTemporaryFailures(adapterOf(model))
}

/** Expires unused registrations early; use extends the TTL to the advertised expiry. */
function clientAdapter(adapter: Adapter): Adapter {
  return {
    ...adapter,
    upsert: (id, { client_secret_expires_at: _, ...metadata }) =>
      adapter.upsert(id, metadata, UNUSED_CLIENT_TTL_SECONDS),
  }
}

/**
 * Single use: an authorization yields one code, also if parallel requests finish it or write it
 * back.
 */
function interactionAdapter(adapter: Adapter, entries: Pick<Entries, 'markUse'>): Adapter {
  return {
    ...adapter,
    async destroy(id) {
      if (!(await entries.markUse('Interaction', id, CONSENT_TTL_SECONDS))) {
        throw new errors.SessionNotFound('the authorization was already answered')
      }
      await adapter.destroy(id)
    },
  }
}

/** Codes and refresh tokens, which are exchanged for access tokens. */
function exchangedAdapter(adapter: Adapter, tokens: TokenEntries): Adapter {
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

/** Disables browser sessions: each authorization asks for consent again (confused deputy). */
function withoutBrowserSessions(adapter: Adapter): Adapter {
  return { ...adapter, find: async () => undefined, upsert: async () => undefined }
}

/** Reports an unavailable store and exceeded limits as errors that clients retry. */
function withTemporaryFailures(adapter: Adapter): Adapter {
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

interface AccessTokenAdapterDeps {
  readonly entries: Pick<Entries, 'isRevoked'>
  readonly tokens: TokenEntries
  readonly onRevoked: (grantId: string) => Promise<unknown>
}

/**
 * `sealed` stores entries in the format of the previous release. Writes both formats for one
 * release (rolling upgrade): nodes of the previous release read only their own format, and their
 * revocations remove only entries in it.
 */
function accessTokenAdapter(
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
async function revokeGrant(tokens: TokenEntries, adapter: Adapter, grantId: string): Promise<void> {
  await Promise.all([adapter.revokeByGrantId(grantId), tokens.revokeGrant(grantId)])
}

/**
 * Whether the request revokes an access token, which leaves its grant and refresh token valid.
 * RFC 7009, 2.1 permits either.
 */
function isOneAccessToken(): boolean {
  const oidc = Provider.ctx?.oidc
  return oidc?.route === 'revocation' && oidc.entities.AccessToken !== undefined
}

/**
 * Stores the entry of a token that is about to be signed, in the library's format for opaque
 * tokens, so that the library's endpoints can find and revoke the token.
 */
export async function rememberAccessToken(
  token: AccessToken & { readonly client?: Client | undefined },
  { payload }: JWTStructured,
): Promise<void> {
  const { jti, grantId, accountId, clientId, aud, scope, gty, extra } = token
  const { iat, exp } = payload
  const stub = { kind: 'AccessToken', jti, grantId, accountId, clientId, aud, scope, gty, extra }
  await token.adapter.upsert(jti, { ...stub, iat: Number(iat), exp: Number(exp) }, token.expiration)
}

/** The successor's value, per request that exchanges the predecessor. */
const successors = new WeakMap<KoaContextWithOIDC, string>()

function rememberSuccessor(value: string): void {
  const { ctx } = Provider
  if (ctx !== undefined) successors.set(ctx, value)
}

/** Makes a rotated refresh token use the value recorded in the store by the first exchange. */
export function shareSuccessors(provider: Provider): void {
  const model = provider.RefreshToken.prototype as unknown as { generateTokenId(): string }
  const generate = model.generateTokenId
  model.generateTokenId = function generateTokenId() {
    const { ctx } = Provider
    const isRotation = ctx?.oidc.entities.RotatedRefreshToken !== undefined
    return (isRotation && successors.get(ctx)) || generate.call(this)
  }
}
