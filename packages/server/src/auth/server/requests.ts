/** What is put right in a request before the library judges it. */

import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider'
import type { AuthenticateClient } from './client-assertions.ts'
import type { TokenReader } from './issued-tokens.ts'
import { refreshedScope, requestedScope, type ScopeRules } from './requested-scopes.ts'
import type { ResourceNames } from './resource-names.ts'
import { forProvider, isUnavailable } from './unavailable.ts'

export interface RequestRules {
  readonly resources: ResourceNames
  readonly scopes: ScopeRules
  readonly tokens: TokenReader
  readonly authenticateClient: AuthenticateClient
}

type Params = Record<string, unknown>

/**
 * Hooks in where every endpoint has read its parameters and asks for the client. The library has
 * no other place between reading a request's parameters and judging them.
 */
export function prepareRequests(provider: Provider, rules: RequestRules): void {
  const model = provider.Client
  const find = model.find
  /** Requests for whose client the store was away. */
  const unserved = new WeakMap<KoaContextWithOIDC, unknown>()
  model.find = async function findClient(this: typeof model, id: string) {
    const { ctx } = Provider
    // The library asks again, to tell the client: that would be another wait.
    if (ctx !== undefined && unserved.has(ctx)) throw unserved.get(ctx)
    if (ctx?.oidc.params !== undefined) await prepare(ctx, ctx.oidc.params as Params, rules)
    try {
      const client = await find.call(this, id)
      if (ctx !== undefined && client !== undefined) await rules.authenticateClient(ctx, client)
      return client
    } catch (error) {
      if (ctx !== undefined && isUnavailable(error)) unserved.set(ctx, error)
      throw error
    }
  } as typeof find
}

async function prepare(ctx: KoaContextWithOIDC, params: Params, rules: RequestRules) {
  switch (ctx.oidc.route) {
    case 'authorization':
      checkResponseMode(params)
      spellResources(params, rules.resources)
      return
    case 'token':
      spellResources(params, rules.resources)
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

/** The library answers the others with pages and scripts of its own, or in fragments. */
function checkResponseMode({ response_mode: mode }: Params): void {
  if (mode !== undefined && mode !== 'query') throw new errors.UnsupportedResponseMode()
}

function spellResources(params: Params, { spelled }: ResourceNames): void {
  const { resource } = params
  if (Array.isArray(resource)) {
    params.resource = [...new Set(resource.map((each) => spelled(String(each))))]
  } else if (typeof resource === 'string') {
    params.resource = spelled(resource)
  }
}

/** The sessions of the access tokens that requests showed, whole. */
const shown = new WeakMap<KoaContextWithOIDC, string>()

/**
 * The session of the access token that this request showed; undefined for one that may not look a token
 * up: its id alone is no token.
 */
export function shownSession(): string | undefined {
  const { ctx } = Provider
  return ctx && shown.get(ctx)
}

/** The library looks tokens up by an id of its own, and refuses JWTs: their id takes their place. */
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

/** Dots are in no other token of ours. */
function isJwt(token: string): boolean {
  return token.includes('.')
}

/** For the library's `extraParams`: runs at `/authorize`, when the parameters have been judged. */
export function scopeParameter(rules: ScopeRules) {
  return (ctx: KoaContextWithOIDC, scope: string | undefined): void => {
    const params = ctx.oidc.params as Params
    params.scope = requestedScope(scope, rules)
  }
}
