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

type AuthParts = Pick<ResourceServerDeps, 'sessions'> & {
  readonly theme: PageTheme
  readonly credentials: CredentialStore
  /** The name of the first upstream, which identifies people. */
  readonly firstUpstream: string
  readonly authorizations: Authorizations
} & Pick<
    AuthorizationServerDeps,
    | 'now'
    | 'blocks'
    | 'keyRing'
    | 'signOut'
    | 'broadcastRevoked'
    | 'isSignedIn'
    | 'settleSignIn'
    | 'keptSignIns'
  >

export async function createAuth(deps: AuthDeps, parts: AuthParts) {
  const { config, secrets, log, publicUrl, outgoing, store, catalog, team = NO_TEAM } = deps
  const { sessions, credentials, keptSignIns } = parts
  const { tools, resources, prompts } = catalog
  const declared = [...tools.values(), ...resources, ...prompts]
  const needed = declared.flatMap(({ definition }) => definition.requires?.scopes ?? [])
  const { defaultScopes: defaults, issuer } = config.auth
  const scopeMap = issuer.kind === 'external' ? issuer.scopeMap : undefined
  const scopes = createScopes(needed, { defaults, scopeMap })
  const authorizationServer =
    deps.transport === 'http' ? await builtInServerOf(deps, parts, scopes) : undefined
  const accessTokens = authorizationServer?.accessTokens ?? NO_TOKENS
  const personalTokens = createTokens(deps, parts, scopes)
  const isShownTo = (definition: Declared, caller: TokenCaller) =>
    // Avoids `identityOf` where possible: it decrypts the session's credentials.
    (team.unauthorizedTools === 'challenge' && definition.visible === undefined) ||
    isVisible(team, definition, identityOf(credentials, caller), log)
  const find = createFind(catalog)
  const scopesFor: ScopesFor = (asked, caller) => {
    const isThere = (definition: Declared) => isShownTo(definition, caller)
    return find(asked, isThere)?.requires?.scopes ?? []
  }
  const auth = await createResourceServer({
    ...{ config, secrets, publicUrl, sessions, scopes, outgoing, log, now: Date.now },
    scopesFor: needed.length === 0 ? undefined : scopesFor,
    builtIn:
      personalTokens === undefined
        ? accessTokens
        : withPersonalTokens({ store, sessions, keptSignIns, personalTokens, log }, accessTokens),
  })
  return { auth, authorizationServer, personalTokens }
}

function builtInServerOf(deps: AuthDeps, parts: AuthParts, scopes: Scopes) {
  const { config, secrets, log, publicUrl, outgoing, store, documentCa } = deps
  const { keyRing, now, sessions, blocks, authorizations, keptSignIns } = parts
  const { signOut, broadcastRevoked, isSignedIn, settleSignIn } = parts
  return createBuiltInServer({
    ...{ config, secrets, publicUrl, scopes, outgoing, documentCa },
    ...{ store, keyRing, now, log, sessions, blocks, authorizations, keptSignIns },
    ...{ signOut, isSignedIn, settleSignIn },
    ...(broadcastRevoked !== undefined && { broadcastRevoked }),
    errorPage: authorizationErrorPage(parts.theme),
  })
}

/** Undefined if people cannot make personal access tokens. */
function createTokens({ config, store }: AuthDeps, parts: AuthParts, { supported }: Scopes) {
  const { keyRing, sessions, credentials, authorizations, now } = parts
  const { issuer } = config.auth
  if (issuer.kind !== 'built-in' || issuer.personalTokenTtl === undefined) return undefined
  return createPersonalTokens(
    { store, keyRing, sessions, credentials, authorizations, now },
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
