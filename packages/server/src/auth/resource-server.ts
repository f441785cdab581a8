/** The part of OAuth that every request meets: who may call what, and where tokens come from. */

import type { AuthConfig, Config, ExternalIssuer } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { SessionManager } from '../session/manager.ts'
import type { AccessTokens } from './access-tokens.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import { createExternalIssuer, LONGEST_TOKEN_SECONDS } from './external-issuer.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import type { ResourceFacts } from './protected-resource.ts'
import { createRequireScopes, type RequireScopes, type ScopesOfTool } from './required-scopes.ts'
import { createResources, type Resources } from './resources.ts'
import type { Scopes } from './scopes.ts'

export interface ResourceServerDeps {
  readonly config: Config
  readonly publicUrl: string
  readonly sessions: SessionManager
  readonly scopesOfTool: ScopesOfTool
  readonly scopes: Scopes
  /** The tokens of the built-in authorization server, for when it is the one. */
  readonly builtIn: AccessTokens
  readonly log: Logger
}

export interface ResourceServer {
  readonly resources: Resources
  readonly facts: ResourceFacts
  readonly authenticate: Authenticate
  readonly requireScopes: RequireScopes
}

/** How long any token may be of use, refresh tokens included. */
export function longestTokenSeconds({ issuer }: AuthConfig): number {
  return issuer.kind === 'built-in' ? issuer.refreshTokenTtl : LONGEST_TOKEN_SECONDS
}

export function createResourceServer(deps: ResourceServerDeps): ResourceServer {
  const { config, publicUrl, scopes, scopesOfTool } = deps
  const { issuer } = config.auth
  const resources = createResources(publicUrl, config.serves)
  const tokens = issuer.kind === 'external' ? externalTokens(deps, issuer, resources) : deps.builtIn
  return {
    resources,
    facts: {
      issuer: issuer.kind === 'external' ? issuer.url : publicUrl,
      scopes,
      name: config.app.name,
    },
    authenticate: createAuthenticate({ tokens, scopes }),
    requireScopes: createRequireScopes(scopesOfTool),
  }
}

function externalTokens(
  { sessions, log }: ResourceServerDeps,
  { url, audience }: ExternalIssuer,
  resources: Resources,
): AccessTokens {
  // The configuration has seen to it that production goes no further than the machine by http.
  const options = { issuer: url, allowInsecureHttp: true }
  const keys = createIssuerKeys(options, { fetch, now: Date.now, log })
  const audiences = audience ?? resources.all.map((resource) => resource.url)
  return createExternalIssuer({ keys, sessions, now: Date.now, log }, { issuer: url, audiences })
}
