/** Assembles the verification of an external issuer's tokens from the configuration. */

import type { ExternalIssuer, Secrets } from '../config.ts'
import type { Logger } from '../logger.ts'
import type { SessionManager } from '../session/manager.ts'
import type { Fetch } from '../upstream/provider-fetch.ts'
import type { AccessTokens } from './access-tokens.ts'
import { createExternalIssuer } from './external-issuer.ts'
import { createIntrospection } from './introspection.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import {
  createIssuerMetadata,
  type IssuerMetadataReader,
  type ReadIssuerMetadata,
} from './issuer-metadata.ts'
import { createRefusedTokens } from './refused-tokens.ts'
import type { Resources } from './resources.ts'
import { longestExternalTokenSeconds, type TokenRules } from './token-rules.ts'

export interface ExternalTokensDeps {
  readonly secrets: Secrets
  readonly sessions: SessionManager
  readonly readMetadata: ReadIssuerMetadata
  readonly fetch: Fetch
  readonly log: Logger
}

/** Safe: the configuration permits plain http in production for loopback addresses only. */
const allowInsecureHttp = true

/** Creates the shared reader of the issuer's metadata. */
export function createExternalMetadata(
  { url, tokenIssuers = [] }: ExternalIssuer,
  { fetch, log }: Pick<ExternalTokensDeps, 'fetch' | 'log'>,
): IssuerMetadataReader {
  const options = { issuer: url, tokenIssuers, allowInsecureHttp }
  return createIssuerMetadata(options, { fetch, now: Date.now, log })
}

export function createExternalTokens(
  { secrets, sessions, fetch, log, readMetadata }: ExternalTokensDeps,
  issuer: ExternalIssuer,
  resources: Resources,
): AccessTokens {
  const rules = rulesOf(issuer, resources)
  const keys = createIssuerKeys({ allowInsecureHttp }, { readMetadata, fetch, log })
  const { introspection } = issuer
  const introspect =
    introspection &&
    createIntrospection(
      {
        endpoint: introspection.endpoint,
        clientId: introspection.clientId,
        clientSecret: secrets.introspectionClientSecret,
        clientAuth: introspection.auth,
        allowInsecureHttp,
      },
      { issuer: issuer.url, readMetadata, fetch, now: Date.now, log },
    )
  const logRefused = createRefusedTokens(log, Date.now)
  return createExternalIssuer(
    { keys, introspect, sessions, now: Date.now, logRefused },
    { ...rules, introspected: introspection?.mode ?? 'none' },
  )
}

function rulesOf(issuer: ExternalIssuer, resources: Resources): TokenRules {
  return {
    issuer: issuer.url,
    tokenIssuers: issuer.tokenIssuers ?? [issuer.url],
    tenants: issuer.tenants ?? [],
    audiences: issuer.audience ?? resources.all.map((resource) => resource.url),
    clientsWithoutAudience: issuer.clientsWithoutAudience ?? [],
    scopeClaims: issuer.scopeClaims ?? ['scope', 'scp'],
    scopeMap: issuer.scopeMap ?? {},
    maxAgeSeconds: longestExternalTokenSeconds(issuer),
  }
}
