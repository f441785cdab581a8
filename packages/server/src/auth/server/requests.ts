/** Normalizes the parameters of requests, scopes included, before the library validates them. */

import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { Blocks } from '../../session/blocks.ts'
import type { ResourceNames } from '../resources.ts'
import { refuseBlocked } from './blocked.ts'
import type { AuthenticateClient } from './client-assertions.ts'
import type { TokenReader } from './token-reader.ts'
import { forProvider, isUnavailable } from './unavailable.ts'

export interface RequestRules {
  readonly resources: ResourceNames
  readonly scopes: ScopeRules
  readonly tokens: TokenReader
  readonly authenticateClient: AuthenticateClient
}

type Params = Record<string, unknown>

/**
 * Wraps `Client.find`, which every endpoint calls after it has read the parameters: the library has
 * no other hook between reading and validating them.
 */
export function prepareRequests(provider: Provider, rules: RequestRules): void {
  const model = provider.Client
  const find = model.find
  /** Errors of requests that could not be prepared, since the store was unavailable. */
  const unserved = new WeakMap<KoaContextWithOIDC, unknown>()
  model.find = async function findClient(this: typeof model, id: string) {
    const { ctx } = Provider
    // The library repeats the lookup for its error response: fails at once, without another wait.
    if (ctx !== undefined && unserved.has(ctx)) throw unserved.get(ctx)
    try {
      const params = ctx?.oidc.params as Params | undefined
      if (ctx !== undefined && params !== undefined) await prepare(provider, ctx, params, rules)
      const client = await find.call(this, id)
      if (ctx !== undefined && client !== undefined) await rules.authenticateClient(ctx, client)
      return client
    } catch (error) {
      if (ctx !== undefined && isUnavailable(error)) unserved.set(ctx, error)
      throw error
    }
  } as typeof find
}

async function prepare(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  params: Params,
  rules: RequestRules,
) {
  switch (ctx.oidc.route) {
    case 'authorization':
      checkResponseMode(params)
      ignoreOpenIdParameters(params)
      spellResources(params, rules.resources)
      if (typeof params.scope === 'string') {
        params.scope = scopesIn(params.scope).join(' ') || undefined
      }
      return
    case 'token':
      // First: reading the code compares its resource with this one.
      spellResources(params, rules.resources)
      await addRedirectUri(provider, params)
      if (typeof params.scope === 'string') {
        params.scope = refreshedScope(params.scope, rules.scopes)
      }
      return
    case 'revocation':
    case 'introspection':
      params.token = await known(ctx, params.token, rules.tokens)
      return
  }
}

/** Refuses other modes, which the library implements with its own pages, scripts or fragments. */
function checkResponseMode({ response_mode: mode }: Params): void {
  if (mode !== undefined && mode !== 'query') throw new errors.UnsupportedResponseMode()
}

/** Parameters of OpenID Connect Core, section 3.1.2.1, that the library would validate. */
const OPENID_PARAMETERS = 'acr_values claims claims_locales login_hint ui_locales display'.split(
  ' ',
)
/** Prompts of OpenID Connect that the server does not have. */
const OTHER_PROMPTS = new Set(['select_account', 'create'])

/**
 * Ignores parameters that only OpenID Connect defines: a server must ignore parameters that it does
 * not recognize (RFC 6749, 3.1). Left to the library, which refuses them: other prompts, a malformed
 * `max_age`, and `id_token_hint`, since this server issues no ID tokens.
 */
function ignoreOpenIdParameters(params: Params): void {
  for (const name of OPENID_PARAMETERS) delete params[name]
  const { prompt, max_age } = params
  if (typeof max_age === 'string' && /^\d+$/.test(max_age)) delete params.max_age
  if (typeof prompt !== 'string') return
  const prompts = prompt.split(' ').filter((each) => !OTHER_PROMPTS.has(each))
  if (prompts.length > 0) params.prompt = prompts.join(' ')
  else delete params.prompt
}

/**
 * Adds a missing `redirect_uri` from the code: clients of OAuth 2.1 do not send it (section 10.2),
 * and the library requires it. Every code is bound to a PKCE verifier instead.
 */
async function addRedirectUri(provider: Provider, params: Params): Promise<void> {
  const { grant_type: grant, code, redirect_uri } = params
  if (grant !== 'authorization_code' || redirect_uri !== undefined) return
  if (typeof code !== 'string') return
  const found = await provider.AuthorizationCode.find(code, { ignoreExpiration: true })
  // Without a code, the library reports the code and not the parameter.
  params.redirect_uri = found?.redirectUri ?? ''
}

function spellResources(params: Params, { spelled }: ResourceNames): void {
  const { resource } = params
  if (Array.isArray(resource)) {
    params.resource = [...new Set(resource.map((each) => spelled(String(each))))]
  } else if (typeof resource === 'string') {
    params.resource = spelled(resource)
  }
}

/** The session ids of the access tokens in requests, known only for complete and valid tokens. */
const shown = new WeakMap<KoaContextWithOIDC, string>()

/**
 * The session of the access token in the current request. Undefined if the request contains only a
 * token id (`jti`), which does not permit a lookup.
 */
export function shownSession(): string | undefined {
  const { ctx } = Provider
  return ctx && shown.get(ctx)
}

/** Replaces a JWT by its `jti`, since the library refuses JWTs and finds tokens by their ids. */
async function known(
  ctx: KoaContextWithOIDC,
  token: unknown,
  tokens: TokenReader,
): Promise<unknown> {
  if (typeof token !== 'string' || !isJwt(token)) return token
  const facts = await forProvider(async () => tokens.read(token))
  if (facts === undefined) return 'unknown'
  shown.set(ctx, facts.sessionId)
  return facts.jti
}

/** Our other tokens contain no dots. */
function isJwt(token: string): boolean {
  return token.includes('.')
}

/** For the library's `extraParams`: runs at `/authorize`, after the library's validation. */
export function scopeParameter(rules: ScopeRules, blocks: Pick<Blocks, 'current'>) {
  return async (ctx: KoaContextWithOIDC, scope: string | undefined): Promise<void> => {
    const { clientId = '' } = ctx.oidc.client ?? {}
    await refuseBlocked(blocks, { clientId })
    const params = ctx.oidc.params as Params
    params.scope = requestedScope(scope, rules)
  }
}

/**
 * OpenID Connect scopes that clients request by default. Ignored: the server issues no ID tokens,
 * and issues refresh tokens without `offline_access`.
 */
const OPENID_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access'])

/** Ignores superfluous spaces, which the library refuses: clients join lists that may be empty. */
function scopesIn(parameter: string): readonly string[] {
  return parameter.split(' ').filter(Boolean)
}

export interface ScopeRules {
  readonly known: ReadonlySet<string>
  readonly defaults: readonly string[]
}

/**
 * Drops unknown scopes, as RFC 6749, 3.3 permits; the token response names the granted scopes.
 * @throws InvalidScope when none of the requested scopes exists
 */
function requestedScope(asked: string | undefined, { known, defaults }: ScopeRules): string {
  const scopes = [...new Set(scopesIn(asked ?? ''))]
  const granted = scopes.filter((scope) => known.has(scope))
  if (granted.length > 0) return granted.join(' ')
  if (scopes.every((scope) => OPENID_SCOPES.has(scope))) return defaults.join(' ')
  throw new errors.InvalidScope('none of the requested scopes exists', scopes.join(' '))
}

/**
 * The scopes of a refresh, without the OpenID Connect scopes, which clients repeat from their
 * authorization request. Keeps other unknown scopes, which the library refuses (RFC 6749, 6).
 */
function refreshedScope(asked: string, { known }: ScopeRules): string | undefined {
  const scopes = scopesIn(asked).filter((scope) => known.has(scope) || !OPENID_SCOPES.has(scope))
  return scopes.length > 0 ? scopes.join(' ') : undefined
}
