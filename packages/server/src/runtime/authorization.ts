/** Wires authorization: the resource server, and the built-in authorization server if enabled. */

import { NO_TOKENS } from '../auth/access-tokens.ts'
import { withPersonalTokens } from '../auth/personal-access-tokens.ts'
import { createResourceServer, type ResourceServerDeps } from '../auth/resource-server.ts'
import { type AskedFor, createScopes, type Scopes, type ScopesFor } from '../auth/scopes.ts'
import { createBuiltInServer } from '../auth/server/authorization-server.ts'
import type { AuthorizationServerDeps } from '../auth/server/options.ts'
import type { Catalog } from '../engine/discover.ts'
import { createFindResource } from '../engine/find-resource.ts'
import { NO_TEAM, type Team } from '../engine/team.ts'
import { type Declared, isVisible } from '../engine/visibility.ts'
import { authorizationErrorPage } from '../http/oauth/oauth-routes.ts'
import type { PageTheme } from '../http/pages/page-theme.ts'
import type { Authorizations } from '../session/authorizations.ts'
import type { TokenCaller } from '../session/caller.ts'
import { identityOf } from '../session/caller-identity.ts'
import type { CredentialStore } from '../session/credentials.ts'
import { createPersonalTokens } from '../session/personal-tokens.ts'
import type { Store } from '../store/port.ts'

export interface AuthDeps
  extends Pick<ResourceServerDeps, 'config' | 'secrets' | 'log' | 'publicUrl' | 'outgoing'> {
  readonly store: Store
  readonly catalog: Catalog
  readonly team?: Team | undefined
  readonly transport: 'http' | 'stdio'
  readonly documentCa?: string | undefined
}

type AuthParts = Pick<ResourceServerDeps, 'sessions' | 'blocks'> & {
  readonly theme: PageTheme
  readonly credentials: CredentialStore
  /** The name of the first upstream, which identifies people. */
  readonly firstUpstream: string
  readonly authorizations: Authorizations
} & Pick<
    AuthorizationServerDeps,
    | 'now'
    | 'keyRing'
    | 'signOut'
    | 'broadcastRevoked'
    | 'isSignedIn'
    | 'settleSignIn'
    | 'keptSignIns'
  >

export async function createAuth(deps: AuthDeps, parts: AuthParts) {
  const { tools, resources, prompts } = deps.catalog
  const declared = [...tools.values(), ...resources, ...prompts]
  const needed = declared.flatMap(({ definition }) => definition.requires?.scopes ?? [])
  const { defaultScopes: defaults, issuer } = deps.config.auth
  const scopeMap = issuer.kind === 'external' ? issuer.scopeMap : undefined
  const scopes = createScopes(needed, { defaults, scopeMap })
  const errorPage = authorizationErrorPage(parts.theme)
  const authorizationServer =
    deps.transport === 'http'
      ? await createBuiltInServer({ ...deps, ...parts, scopes, errorPage })
      : undefined
  const accessTokens = authorizationServer?.accessTokens ?? NO_TOKENS
  const personalTokens = createTokens(deps, parts, scopes)
  const { team = NO_TEAM, log } = deps
  const isShownTo = (definition: Declared, caller: TokenCaller) =>
    // Avoids `identityOf` where possible: it decrypts the session's credentials.
    (team.unauthorizedTools === 'challenge' && definition.visible === undefined) ||
    isVisible(team, definition, identityOf(parts.credentials, caller), log)
  const find = createFind(deps.catalog)
  const scopesFor: ScopesFor = (asked, caller) => {
    const isThere = (definition: Declared) => isShownTo(definition, caller)
    return find(asked, isThere)?.requires?.scopes ?? []
  }
  const auth = await createResourceServer({
    ...{ ...deps, ...parts, scopes },
    scopesFor: needed.length === 0 ? undefined : scopesFor,
    builtIn:
      personalTokens === undefined
        ? accessTokens
        : withPersonalTokens({ ...deps, ...parts, personalTokens }, accessTokens),
  })
  return { auth, authorizationServer, personalTokens }
}

/** Undefined if people cannot make personal access tokens. */
function createTokens({ config, store }: AuthDeps, parts: AuthParts, { supported }: Scopes) {
  const { issuer } = config.auth
  if (issuer.kind !== 'built-in' || issuer.personalTokenTtl === undefined) return undefined
  return createPersonalTokens(
    { ...parts, store },
    {
      upstream: parts.firstUpstream,
      longestTtlSeconds: issuer.personalTokenTtl,
      scopes: supported,
    },
  )
}

/** Finds the requested declaration among those visible to the caller. */
function createFind({ tools, resources, prompts }: Catalog) {
  const findResource = createFindResource(resources)
  const promptsByName = new Map(prompts.map(({ definition }) => [definition.name, definition]))

  function resourceOf(uri: string, isThere: (declared: Declared) => boolean) {
    try {
      return findResource(uri, ({ definition }) => isThere(definition))?.resource.definition
    } catch {
      // The handler rejects an invalid URI.
      return undefined
    }
  }

  return ({ kind, name }: AskedFor, isThere: (declared: Declared) => boolean) => {
    if (kind === 'resource') return resourceOf(name, isThere)
    const found = kind === 'tool' ? tools.get(name)?.definition : promptsByName.get(name)
    return found !== undefined && isThere(found) ? found : undefined
  }
}
