/**
 * An external issuer and the requirements for its tokens; without one, these variables have no
 * effect.
 */

import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { isLoopbackHost } from './loopback.ts'
import type { ExternalIssuer, IntrospectionConfig } from './shape.ts'
import type { Variables } from './variables.ts'

const WITH_ISSUER = [
  'OAUTH_AUDIENCE',
  'OAUTH_TOKEN_ISSUERS',
  'OAUTH_TENANTS',
  'OAUTH_CLIENTS_WITHOUT_AUDIENCE',
  'OAUTH_SCOPE_CLAIMS',
  'OAUTH_SCOPE_MAP',
  'OAUTH_TOKEN_MAX_AGE',
] as const

const WITH_INTROSPECTION = [
  'OAUTH_INTROSPECTION_ENDPOINT',
  'OAUTH_INTROSPECTION_CLIENT_ID',
  'OAUTH_INTROSPECTION_CLIENT_SECRET',
  'OAUTH_INTROSPECTION_AUTH',
] as const

const TENANT = '{tenantid}'

/** Undefined for the built-in authorization server. */
export function chooseIssuer(variables: Variables, faults: Faults): ExternalIssuer | undefined {
  const { OAUTH_ISSUER: url } = variables
  if (url === undefined) {
    for (const name of [...WITH_ISSUER, ...WITH_INTROSPECTION]) {
      if (variables[name] !== undefined) faults.add(name, 'requires OAUTH_ISSUER')
    }
    if (variables.OAUTH_INTROSPECTION !== 'off') {
      faults.add('OAUTH_INTROSPECTION', 'requires OAUTH_ISSUER')
    }
    return undefined
  }
  requireHttps('OAUTH_ISSUER', variables, faults)
  if (url.includes('/.well-known/')) {
    faults.add('OAUTH_ISSUER', 'must be the issuer, not the address of its metadata')
  }
  checkWithIssuer(url, variables, faults)
  checkTenants(variables, faults)
  if (variables.OAUTH_CLIENTS_WITHOUT_AUDIENCE !== undefined) {
    faults.warn(
      'tokens_without_audience',
      'OAUTH_CLIENTS_WITHOUT_AUDIENCE: tokens without `aud` are not bound to this server; other servers that get one from these clients can use it here',
    )
  }
  return {
    kind: 'external',
    url,
    ...defined({
      audience: variables.OAUTH_AUDIENCE,
      tokenIssuers: variables.OAUTH_TOKEN_ISSUERS,
      tenants: variables.OAUTH_TENANTS,
      clientsWithoutAudience: variables.OAUTH_CLIENTS_WITHOUT_AUDIENCE,
      scopeClaims: variables.OAUTH_SCOPE_CLAIMS,
      scopeMap: variables.OAUTH_SCOPE_MAP,
      tokenMaxAge: variables.OAUTH_TOKEN_MAX_AGE,
      introspection: chooseIntrospection(variables, faults),
    }),
  }
}

/** Faults for variables that conflict with an external issuer, and for an invalid one. */
function checkWithIssuer(url: string, variables: Variables, faults: Faults): void {
  const { PUBLIC_URL = `http://localhost:${variables.MASK_MCP_PORT}` } = variables
  if (new URL(url).href === new URL(PUBLIC_URL).href) {
    faults.add('OAUTH_ISSUER', 'is PUBLIC_URL: leave it out for the built-in authorization server')
  }
  if (variables.LOGIN === 'at-authorize') {
    faults.add(
      'LOGIN',
      'cannot be at-authorize with OAUTH_ISSUER, which authorizes the clients itself',
    )
  }
  if (variables.OAUTH_CLIENTS.length > 0) {
    faults.add('OAUTH_CLIENTS', 'conflicts with OAUTH_ISSUER; set one')
  }
}

/** Requires an explicit list of tenants: accepting any would admit every owner of a tenant. */
function checkTenants(variables: Variables, faults: Faults): void {
  const { OAUTH_TOKEN_ISSUERS: issuers = [], OAUTH_TENANTS: tenants } = variables
  const usesTenants = issuers.some((issuer) => issuer.includes(TENANT))
  if (usesTenants && tenants === undefined) {
    faults.add('OAUTH_TENANTS', `is required by ${TENANT} in OAUTH_TOKEN_ISSUERS`)
  }
  if (!usesTenants && tenants !== undefined) {
    faults.add('OAUTH_TENANTS', `requires ${TENANT} in OAUTH_TOKEN_ISSUERS`)
  }
}

function chooseIntrospection(
  variables: Variables,
  faults: Faults,
): IntrospectionConfig | undefined {
  const { OAUTH_INTROSPECTION: mode } = variables
  if (mode === 'off') {
    for (const name of WITH_INTROSPECTION) {
      if (variables[name] === undefined) continue
      faults.add(name, 'requires OAUTH_INTROSPECTION=opaque or always')
    }
    return undefined
  }
  requireHttps('OAUTH_INTROSPECTION_ENDPOINT', variables, faults)
  for (const name of ['CLIENT_ID', 'CLIENT_SECRET'] as const) {
    if (variables[`OAUTH_INTROSPECTION_${name}`] !== undefined) continue
    faults.add(`OAUTH_INTROSPECTION_${name}`, `is required by OAUTH_INTROSPECTION=${mode}`)
  }
  return {
    mode,
    clientId: variables.OAUTH_INTROSPECTION_CLIENT_ID ?? '',
    auth: variables.OAUTH_INTROSPECTION_AUTH ?? 'basic',
    ...defined({ endpoint: variables.OAUTH_INTROSPECTION_ENDPOINT }),
  }
}

/** The issuers of identity assertions, which the built-in authorization server accepts. */
export function checkAssertionIssuers(variables: Variables, faults: Faults): void {
  const { OAUTH_ID_JAG_ISSUERS: issuers = [], OAUTH_ISSUER, PUBLIC_URL } = variables
  const fault = (message: string) => faults.add('OAUTH_ID_JAG_ISSUERS', message)
  if (issuers.length > 0 && OAUTH_ISSUER !== undefined) {
    fault('conflicts with OAUTH_ISSUER, whose server accepts assertions itself; set one')
  }
  if (issuers.some((issuer) => !URL.canParse(issuer))) fault('must name issuers by their addresses')
  else if (issuers.some((issuer) => isOpenHttp(issuer)) && variables.NODE_ENV === 'production') {
    fault('must use https in production')
  }
  if (issuers.some((issuer) => issuer.includes('/.well-known/'))) {
    fault('must name issuers, not the addresses of their metadata')
  }
  if (issuers.some((issuer) => issuer === PUBLIC_URL)) fault('must not name PUBLIC_URL')
}

function isOpenHttp(address: string): boolean {
  return address.startsWith('http:') && !isLoopbackHost(new URL(address).hostname)
}

function requireHttps(
  name: 'OAUTH_ISSUER' | 'OAUTH_INTROSPECTION_ENDPOINT',
  variables: Variables,
  faults: Faults,
): void {
  const given = variables[name]
  if (given !== undefined && isOpenHttp(given) && variables.NODE_ENV === 'production')
    faults.add(name, 'must use https in production')
}
