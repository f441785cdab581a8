/** The built-in authorization server, or an external one that takes its place. */

import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { isLoopbackHost } from './loopback.ts'
import type { AuthConfig, BuiltInIssuer, ExternalIssuer } from './shape.ts'
import type { Variables } from './variables.ts'

/** Published on purpose, as the development key is. Production refuses it. */
export const DEVELOPMENT_JWT_SECRET = 'mcp-template public secret for development only'

interface AuthChoice {
  readonly auth: AuthConfig
  readonly jwtSecret: string
}

export function chooseAuth(variables: Variables, faults: Faults): AuthChoice {
  const isProduction = variables.NODE_ENV === 'production'
  const issuer = externalIssuer(variables, isProduction, faults) ?? builtIn(variables)
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

function builtIn(variables: Variables): BuiltInIssuer {
  return {
    kind: 'built-in',
    algorithm: variables.JWT_ALG,
    login: variables.LOGIN,
    codeTtl: variables.AUTH_CODE_TTL,
    accessTokenTtl: variables.ACCESS_TOKEN_TTL,
    refreshTokenTtl: variables.REFRESH_TOKEN_TTL,
    refreshGrace: variables.REFRESH_GRACE,
    redirectSchemes: variables.OAUTH_REDIRECT_SCHEMES,
  }
}

function externalIssuer(
  { OAUTH_ISSUER: url, OAUTH_AUDIENCE: audience }: Variables,
  isProduction: boolean,
  faults: Faults,
): ExternalIssuer | undefined {
  if (url === undefined) {
    if (audience !== undefined) faults.add('OAUTH_AUDIENCE', 'is of use with OAUTH_ISSUER only')
    return undefined
  }
  if (isProduction && url.startsWith('http:') && !isLoopbackHost(new URL(url).hostname)) {
    faults.add('OAUTH_ISSUER', 'wants https in production')
  }
  return { kind: 'external', url, ...defined({ audience }) }
}
