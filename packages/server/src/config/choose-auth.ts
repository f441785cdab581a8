/** Chooses the built-in authorization server or an external one. */

import { checkClients } from './check-clients.ts'
import { checkAssertionIssuers, chooseIssuer } from './choose-issuer.ts'
import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { isMachineOnly } from './machine-clients.ts'
import type { AuthConfig, BuiltInIssuer, UpstreamConfig } from './shape.ts'
import { UNSAFE_SCHEMES } from './unsafe-schemes.ts'
import type { Variables } from './variables.ts'

/** Published on purpose, like the development key. Production refuses it. */
export const DEVELOPMENT_JWT_SECRET = 'mcp-template public secret for development only'

interface AuthChoice {
  readonly auth: AuthConfig
  readonly jwtSecret: string
}

/** How users sign in, which decides whether a token identifies a person. */
export interface SignInFacts {
  readonly kind: UpstreamConfig['kind']
  /** Whether any variable names an upstream, even an incomplete one. */
  readonly isNamed: boolean
}

export function chooseAuth(
  variables: Variables,
  upstream: SignInFacts,
  faults: Faults,
): AuthChoice {
  const isProduction = variables.NODE_ENV === 'production'
  const issuer = chooseIssuer(variables, faults) ?? builtIn(variables, upstream)
  const isMissed = variables.MCP_AUTH === 'required' && nobodySignsIn(upstream)
  if (isMissed && issuer.kind === 'built-in' && !issuer.machinesOnly) {
    faults.add('MCP_AUTH', NO_SIGN_IN)
  }
  const knowsNobody = upstream.kind === 'key' || upstream.kind === 'operator'
  if (variables.LOGIN === 'at-authorize' && issuer.kind === 'built-in' && knowsNobody) {
    faults.add('LOGIN', NO_IDENTITY)
  }
  if (variables.PERSONAL_TOKEN_DAYS > 0) checkPersonalTokens(issuer.kind, knowsNobody, faults)
  checkClients(variables, faults)
  checkAssertionIssuers(variables, faults)
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
  'cannot be required while nobody can sign in: set UPSTREAM_ISSUER (or the endpoints of a provider without OpenID Connect), or OAUTH_ISSUER, or give all OAUTH_CLIENTS machine grants alone'

/** An API key grants access but does not identify a person. */
const NO_IDENTITY =
  'must not be at-authorize: people do not sign in at an identity provider at the first upstream (UPSTREAM_AUTH)'

/**
 * The demo counts as a sign-in: production, where anyone could use its accounts, refuses the demo.
 */
function nobodySignsIn({ kind, isNamed }: SignInFacts): boolean {
  return kind === 'operator' || (kind !== 'demo' && !isNamed)
}

function builtIn(variables: Variables, upstream: SignInFacts): BuiltInIssuer {
  const { kind } = upstream
  // An operator who requires tokens wants to identify people. Demo accounts identify nobody.
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
    ...defined({ idJagIssuers: variables.OAUTH_ID_JAG_ISSUERS }),
    ...(servesMachinesOnly(variables, upstream) && { machinesOnly: true as const }),
    ...(variables.SESSION_CONTINUE === 'off' && { startsAnew: true as const }),
    ...(variables.PERSONAL_TOKEN_DAYS > 0 && {
      personalTokenTtl: variables.PERSONAL_TOKEN_DAYS * DAY_SECONDS,
    }),
  }
}

const DAY_SECONDS = 24 * 60 * 60

/** Personal access tokens act for a person whom the first upstream identifies. */
function checkPersonalTokens(
  kind: AuthConfig['issuer']['kind'],
  knowsNobody: boolean,
  faults: Faults,
): void {
  if (kind === 'external') {
    faults.add(
      'PERSONAL_TOKEN_DAYS',
      'conflicts with OAUTH_ISSUER, which issues the tokens; set one',
    )
  } else if (knowsNobody) {
    faults.add(
      'PERSONAL_TOKEN_DAYS',
      'must be 0: people do not sign in at an identity provider at the first upstream (UPSTREAM_AUTH)',
    )
  }
}

/** Whether nobody can sign in, but clients get tokens without a consent page. */
function servesMachinesOnly(variables: Variables, upstream: SignInFacts): boolean {
  const { MCP_AUTH, OAUTH_CLIENTS: clients } = variables
  if (MCP_AUTH !== 'required' || !nobodySignsIn(upstream)) return false
  return clients.length > 0 && clients.every(isMachineOnly)
}

/** Such a scheme would be refused at run time, without a log entry for the operator. */
function checkRedirectSchemes({ OAUTH_REDIRECT_SCHEMES: schemes }: Variables, faults: Faults) {
  if (schemes.some((scheme) => scheme === 'https' || UNSAFE_SCHEMES.has(scheme))) {
    faults.add(
      'OAUTH_REDIRECT_SCHEMES',
      'must be URI schemes of apps, and none that browsers handle themselves',
    )
  }
}
