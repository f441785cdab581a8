/**
 * Warnings about who can access the server: logged at start, shown at /readyz and by the doctor.
 */

import { Faults } from './faults.ts'
import { isLoopbackHost } from './loopback.ts'
import type { AuthConfig, Config, ConfigWarning, UpstreamConfig } from './shape.ts'
import type { RawVariables } from './sources.ts'

/** Providers at which anyone can create an account. */
const PUBLIC_PROVIDERS =
  /^https:\/\/(accounts\.google\.com|github\.com|gitlab\.com|bitbucket\.org|appleid\.apple\.com|www\.facebook\.com|slack\.com|auth\.atlassian\.com|login\.microsoftonline\.com\/(common|consumers|organizations))(\/|$)/

interface Chosen {
  readonly auth: AuthConfig
  readonly upstream: UpstreamConfig
  readonly signIn: Config['signIn']
  /** The port that a platform sets (`PORT`), if it is used. */
  readonly platformPort: string | undefined
}

/** Warnings for production only: open access is normal in development. */
export function accessWarnings(raw: RawVariables, chosen: Chosen): readonly ConfigWarning[] {
  const { auth, upstream, signIn, platformPort } = chosen
  const found = new Faults()
  if (platformPort !== undefined && raw.MASK_MCP_HOST === undefined) {
    found.warn('platform_cannot_connect', PLATFORM_CANNOT_CONNECT)
  }
  if (raw.MCP_AUTH === undefined) found.warn('mcp_auth_undecided', UNDECIDED)
  if (!auth.required || auth.issuer.kind !== 'built-in') return found.warnings
  if (auth.issuer.machinesOnly) return found.warnings
  if (auth.issuer.login === 'on-demand') found.warn('login_on_demand', ON_DEMAND)
  else if (signIn.allow === undefined && isPublic(upstream)) found.warn('anybody_signs_in', ANYBODY)
  return found.warnings
}

/** Warnings outside production: a development setup must not be publicly reachable. */
export function developmentWarnings(publicUrl: string | undefined): readonly ConfigWarning[] {
  const found = new Faults()
  if (publicUrl !== undefined && !isLoopbackHost(new URL(publicUrl).hostname)) {
    found.warn('not_production', NOT_PRODUCTION)
  }
  return found.warnings
}

const NOT_PRODUCTION =
  "PUBLIC_URL is not on this machine, and NODE_ENV is not production: published keys and the demo's identity provider may be in use. Set NODE_ENV=production"

const PLATFORM_CANNOT_CONNECT =
  'The port is that of PORT, and MASK_MCP_HOST is not set: the server listens on 127.0.0.1, where a platform that sets PORT does not reach it. Set MASK_MCP_HOST=0.0.0.0'

const UNDECIDED =
  'MCP_AUTH is not set: /mcp and /sse serve everybody who reaches them, without a token. Set MCP_AUTH=required, or MCP_AUTH=optional if that is meant'

const ON_DEMAND =
  'MCP_AUTH=required with LOGIN=on-demand authenticates nobody: everybody who reaches the server can authorize a client and gets an access token. Set LOGIN=at-authorize'

const ANYBODY =
  'UPSTREAM_ALLOW is not set, and everybody can have an account at the identity provider, and so an access token. Set UPSTREAM_ALLOW'

function isPublic(upstream: UpstreamConfig): boolean {
  if (upstream.kind !== 'configured') return false
  const { provider } = upstream
  const address = 'issuer' in provider ? provider.issuer : provider.authorizationEndpoint
  return PUBLIC_PROVIDERS.test(address.toLowerCase())
}
