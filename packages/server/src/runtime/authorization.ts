/** Who may call what: the check of all tokens, and the server that issues them where that is this one. */

import { NO_TOKENS } from '../auth/access-tokens.ts'
import { createResourceServer, type ResourceServerDeps } from '../auth/resource-server.ts'
import { createScopes } from '../auth/scopes.ts'
import { createBuiltInServer } from '../auth/server/built-in.ts'
import type { AuthorizationServerDeps } from '../auth/server/options.ts'
import type { CompiledTool } from '../engine/compile-tool.ts'
import type { Catalog } from '../engine/discover.ts'
import { NO_TEAM, type Team } from '../engine/team.ts'
import { isVisible } from '../engine/visibility.ts'
import { authorizationErrorPage } from '../http/authorization-server.ts'
import type { Look } from '../http/look.ts'
import type { TokenCaller } from '../session/caller.ts'
import { identityOf } from '../session/caller-identity.ts'
import type { CredentialStore } from '../session/credentials.ts'
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
  readonly look: Look
  readonly credentials: CredentialStore
} & Pick<
    AuthorizationServerDeps,
    | 'now'
    | 'keyRing'
    | 'signOut'
    | 'announceRevoked'
    | 'isSignedIn'
    | 'settleSignIn'
    | 'keptSignIns'
  >

export async function createAuth(deps: AuthDeps, parts: AuthParts) {
  const scopesOf = (tool: CompiledTool | undefined) => tool?.definition.requires?.scopes ?? []
  const toolScopes = [...deps.catalog.tools.values()].flatMap(scopesOf)
  const { defaultScopes: defaults, issuer } = deps.config.auth
  const scopeMap = issuer.kind === 'external' ? issuer.scopeMap : undefined
  const scopes = createScopes(toolScopes, { defaults, scopeMap })
  const errorPage = authorizationErrorPage(parts.look)
  const authorizationServer =
    deps.transport === 'http'
      ? await createBuiltInServer({ ...deps, ...parts, scopes, errorPage })
      : undefined
  const { team = NO_TEAM, log } = deps
  const isShownTo = ({ definition }: CompiledTool, caller: TokenCaller) =>
    // Who it is takes decrypting what the session holds.
    (team.unauthorizedTools === 'challenge' && definition.visible === undefined) ||
    isVisible(team, definition, identityOf(parts.credentials, caller), log)
  const auth = await createResourceServer({
    ...{ ...deps, ...parts, scopes },
    scopesOfTool(name, caller) {
      const tool = deps.catalog.tools.get(name)
      const isShown = tool !== undefined && isShownTo(tool, caller)
      return isShown ? scopesOf(tool) : []
    },
    builtIn: authorizationServer?.accessTokens ?? NO_TOKENS,
  })
  return { auth, authorizationServer }
}
