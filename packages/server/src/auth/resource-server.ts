/** The OAuth resource server: authenticates and authorizes requests, with either kind of issuer. */

import type { AuthConfig, Config, ConfigWarning, ExternalIssuer, Secrets } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { Blocks } from '../session/blocks.ts'
import type { SessionManager } from '../session/manager.ts'
import type { Outgoing } from '../upstream/outgoing.ts'
import type { AccessTokens } from './access-tokens.ts'
import { createAuthenticate } from './authenticate.ts'
import { createResources, type Resource, type Resources } from './resources.ts'
import {
  type AdvertisedScopes,
  createAdvertisedScopes,
  createRequireScopes,
  type Scopes,
  type ScopesFor,
} from './scopes.ts'
import { longestExternalTokenSeconds } from './token-rules.ts'

export interface ResourceServerDeps {
  readonly config: Config
  readonly secrets: Secrets
  readonly publicUrl: string
  readonly sessions: SessionManager
  /** Undefined if no declaration requires scopes. */
  readonly scopesFor: ScopesFor | undefined
  readonly scopes: Scopes
  /** The token check of the built-in authorization server; unused with an external issuer. */
  readonly builtIn: AccessTokens
  readonly outgoing: Outgoing
  readonly log: Logger
  readonly blocks: Blocks
  /** Unix time in milliseconds. */
  readonly now: () => number
}

export type ResourceServer = Awaited<ReturnType<typeof createResourceServer>>

/** The longest lifetime of any token, refresh tokens included. */
export function longestTokenSeconds({ issuer }: AuthConfig): number {
  return issuer.kind === 'built-in' ? issuer.refreshTokenTtl : longestExternalTokenSeconds(issuer)
}

export async function createResourceServer(deps: ResourceServerDeps) {
  const { config, publicUrl, scopesFor } = deps
  const { issuer } = config.auth
  const echoesQuery = issuer.kind === 'built-in'
  const resources = createResources(publicUrl, config.serves, { echoesQuery })
  const { tokens, advertised, scopeMap, check, warnings } =
    issuer.kind === 'external' ? await externalParts(deps, issuer, resources) : builtInParts(deps)
  return {
    resources,
    facts: {
      issuer: issuer.kind === 'external' ? issuer.url : publicUrl,
      scopes: advertised,
      name: config.app.name,
    } satisfies ResourceFacts,
    authenticate: createAuthenticate({ tokens, scopes: advertised, blocks: deps.blocks }),
    /** Undefined if no declaration requires scopes. */
    requireScopes: scopesFor && createRequireScopes(scopesFor, scopeMap),
    /** Checks the metadata of an external issuer and logs a failure; never rejects. */
    check,
    /** Configuration errors that only the operator can correct. */
    warnings,
  }
}

function builtInParts({ builtIn, scopes }: ResourceServerDeps) {
  return {
    tokens: builtIn,
    advertised: async () => scopes,
    scopeMap: undefined,
    check: async (): Promise<void> => undefined,
    warnings: (): readonly ConfigWarning[] => [],
  }
}

async function externalParts(
  deps: ResourceServerDeps,
  issuer: ExternalIssuer,
  resources: Resources,
) {
  const {
    config,
    secrets,
    sessions,
    scopes,
    log,
    now,
    outgoing: { fetch },
  } = deps
  // Lazy import: the built-in server does not need this code.
  const { createExternalMetadata, createExternalTokens } = await import('./external-issuer.ts')
  const {
    read: readMetadata,
    check,
    warnings,
  } = createExternalMetadata(issuer, { fetch, now, log })
  const isChosen = config.auth.defaultScopes !== undefined
  return {
    tokens: createExternalTokens(
      { secrets, sessions, fetch, log, readMetadata, now },
      issuer,
      resources,
    ),
    advertised: createAdvertisedScopes({ readMetadata, now }, scopes, isChosen),
    scopeMap: issuer.scopeMap,
    check,
    warnings,
  }
}

export interface ResourceFacts {
  /** The authorization server whose tokens the resource accepts. */
  readonly issuer: string
  readonly scopes: AdvertisedScopes
  /** Display name (`resource_name`). */
  readonly name: string
}

/** The metadata document of one resource (RFC 9728, 2). */
export async function protectedResourceMetadata({ url }: Resource, facts: ResourceFacts) {
  const { supported } = await facts.scopes()
  return {
    resource: url,
    authorization_servers: [facts.issuer],
    scopes_supported: supported,
    bearer_methods_supported: ['header'],
    resource_name: facts.name,
  }
}
