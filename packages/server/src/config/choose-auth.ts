/** The built-in authorization server, or an external one that takes its place. */

import { checkClients } from './check-clients.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { isLoopbackHost } from './loopback.ts'
import type { AuthConfig, BuiltInIssuer, ExternalIssuer, UpstreamConfig } from './shape.ts'
import { UNSAFE_SCHEMES } from './unsafe-schemes.ts'
import type { Variables } from './variables.ts'

/** Published on purpose, as the development key is. Production refuses it. */
export const DEVELOPMENT_JWT_SECRET = 'mcp-template public secret for development only'

interface AuthChoice {
  readonly auth: AuthConfig
  readonly jwtSecret: string
}

/** Whether people can be asked who they are decides what a token means. */
export interface SignInFacts {
  readonly kind: UpstreamConfig['kind']
  /** Anything names an upstream, completely or not. */
  readonly isNamed: boolean
}

export function chooseAuth(
  variables: Variables,
  upstream: SignInFacts,
  faults: Faults,
): AuthChoice {
  const isProduction = variables.NODE_ENV === 'production'
  const issuer = externalIssuer(variables, isProduction, faults) ?? builtIn(variables, upstream)
  if (variables.MCP_AUTH === 'required' && issuer.kind === 'built-in' && nobodySignsIn(upstream)) {
    faults.add('MCP_AUTH', NO_SIGN_IN)
  }
  checkClients(variables, faults)
  checkRedirectSchemes(variables, faults)
  const { JWT_SECRET: secret = DEVELOPMENT_JWT_SECRET, JWT_ALG: algorithm } = variables
  if (isProduction && issuer.kind === 'built-in' && algorithm === 'HS256') {
    if (variables.JWT_SECRET === undefined) faults.add('JWT_SECRET', 'is required in production')
    else if (secret === DEVELOPMENT_JWT_SECRET) faults.add('JWT_SECRET', PUBLISHED)
  }
  const auth = {
    required: variables.MCP_AUTH === 'required',
    ...defined({ defaultScopes: variables.OAUTH_DEFAULT_SCOPES }),
    issuer,
  }
  return { auth, jwtSecret: secret }
}

const PUBLISHED = 'is the published development secret, which production refuses'

const NO_SIGN_IN =
  'cannot be required while nobody can sign in: set UPSTREAM_ISSUER (or the endpoints of a provider without OpenID Connect), or OAUTH_ISSUER'

/** The demo counts: production, where its people would be everybody, refuses it. */
function nobodySignsIn({ kind, isNamed }: SignInFacts): boolean {
  return kind !== 'demo' && !isNamed
}

function builtIn(variables: Variables, { kind }: SignInFacts): BuiltInIssuer {
  // Who requires tokens wants to know whose they are. At the demo that is nobody's in any case.
  const knowsPeople = variables.MCP_AUTH === 'required' && kind === 'configured'
  return {
    kind: 'built-in',
    algorithm: variables.JWT_ALG,
    login: variables.LOGIN ?? (knowsPeople ? 'at-authorize' : 'on-demand'),
    codeTtl: variables.AUTH_CODE_TTL,
    accessTokenTtl: variables.ACCESS_TOKEN_TTL,
    refreshTokenTtl: variables.REFRESH_TOKEN_TTL,
    refreshGrace: variables.REFRESH_GRACE,
    redirectSchemes: variables.OAUTH_REDIRECT_SCHEMES,
    ...(variables.SESSION_CONTINUE === 'off' && { startsAnew: true as const }),
  }
}

/** They would be refused later, without a word to the operator. */
function checkRedirectSchemes({ OAUTH_REDIRECT_SCHEMES: schemes }: Variables, faults: Faults) {
  if (schemes.some((scheme) => scheme === 'https' || UNSAFE_SCHEMES.has(scheme))) {
    faults.add(
      'OAUTH_REDIRECT_SCHEMES',
      'wants schemes of apps, none that browsers open themselves',
    )
  }
}

function externalIssuer(
  variables: Variables,
  isProduction: boolean,
  faults: Faults,
): ExternalIssuer | undefined {
  const { OAUTH_ISSUER: url, OAUTH_AUDIENCE: audience } = variables
  if (url === undefined) {
    if (audience !== undefined) faults.add('OAUTH_AUDIENCE', 'is of use with OAUTH_ISSUER only')
    return undefined
  }
  if (isProduction && url.startsWith('http:') && !isLoopbackHost(new URL(url).hostname)) {
    faults.add('OAUTH_ISSUER', 'wants https in production')
  }
  checkWithIssuer(url, variables, faults)
  return { kind: 'external', url, ...defined({ audience }) }
}

/** What an external issuer leaves without effect, or cannot be. */
function checkWithIssuer(url: string, variables: Variables, faults: Faults): void {
  const { PUBLIC_URL = `http://localhost:${variables.MASK_MCP_PORT}` } = variables
  if (new URL(url).href === new URL(PUBLIC_URL).href) {
    faults.add('OAUTH_ISSUER', 'is PUBLIC_URL: leave it out for the built-in authorization server')
  }
  if (variables.LOGIN === 'at-authorize') {
    faults.add('LOGIN', 'cannot be at-authorize with OAUTH_ISSUER, where clients are let in')
  }
  if (variables.OAUTH_CLIENTS.length > 0) {
    faults.add('OAUTH_CLIENTS', 'is of use without OAUTH_ISSUER only')
  }
}
