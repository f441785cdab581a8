/** The required and the conflicting variables of an upstream, by its authentication method. */

import { defaultOf } from './facts.ts'
import type { Faults } from './faults.ts'
import type { RawVariables } from './sources.ts'
import { eachUpstream, type UpstreamVariables } from './upstream-variables.ts'

export const upstreamEndpoints = [
  'UPSTREAM_AUTHORIZATION_ENDPOINT',
  'UPSTREAM_TOKEN_ENDPOINT',
  'UPSTREAM_REVOCATION_ENDPOINT',
  'UPSTREAM_USERINFO_ENDPOINT',
] as const

/** Variables that require an identity provider. The preset comes first: it sets others. */
const OF_OAUTH = [
  'UPSTREAM_PRESET',
  'UPSTREAM_ISSUER',
  ...upstreamEndpoints,
  'UPSTREAM_CLIENT_ID',
  'UPSTREAM_CLIENT_SECRET',
  'UPSTREAM_CLIENT_AUTH',
  'UPSTREAM_CLIENT_KEY',
  'UPSTREAM_CLIENT_KEY_ID',
  'UPSTREAM_CLIENT_CERT',
  'UPSTREAM_SCOPES',
  'UPSTREAM_AUTHORIZATION_PARAMETERS',
  'UPSTREAM_TOKEN_PARAMETERS',
  'UPSTREAM_ALLOW',
  'UPSTREAM_TOKEN_EXCHANGE',
  'UPSTREAM_AUDIENCE',
] as const

const OF_KEYS = ['UPSTREAM_KEY_CHECK', 'UPSTREAM_KEY_HEADER'] as const

/** `why` follows the name of the missing variable. */
export function requireComplete(
  raw: RawVariables,
  { UPSTREAM_AUTH: auth }: UpstreamVariables,
  why: string,
  faults: Faults,
): void {
  refuse(raw, auth === 'oauth' ? [] : OF_OAUTH, auth, faults)
  refuse(raw, auth === 'key' ? [] : OF_KEYS, auth, faults)
  for (const [name, hint] of requiredBy(raw, auth)) {
    if (raw[name] === undefined) faults.add(name, why + hint)
  }
}

function refuse(
  raw: RawVariables,
  names: readonly (keyof UpstreamVariables)[],
  auth: UpstreamVariables['UPSTREAM_AUTH'],
  faults: Faults,
): void {
  const given = names.filter(
    (name) => raw[name] !== undefined && raw[name] !== defaultOf(eachUpstream.shape[name]),
  )
  const named = given[0] === 'UPSTREAM_PRESET' ? given.slice(0, 1) : given
  for (const name of named) faults.add(name, `conflicts with UPSTREAM_AUTH=${auth}`)
}

function requiredBy(
  raw: RawVariables,
  auth: UpstreamVariables['UPSTREAM_AUTH'],
): [name: string, hint: string][] {
  const api: [string, string] = ['UPSTREAM_API_URL', '']
  if (auth === 'none') return [api]
  if (auth === 'key') return [api, ['UPSTREAM_KEY_CHECK', '']]
  const client: [string, string] = ['UPSTREAM_CLIENT_ID', '']
  const byEndpoints = upstreamEndpoints.some((name) => raw[name] !== undefined)
  return byEndpoints && raw.UPSTREAM_ISSUER === undefined
    ? [['UPSTREAM_AUTHORIZATION_ENDPOINT', ''], ['UPSTREAM_TOKEN_ENDPOINT', ''], client, api]
    : [['UPSTREAM_ISSUER', OR_ENDPOINTS], client, api]
}

const OR_ENDPOINTS =
  ' (or UPSTREAM_AUTHORIZATION_ENDPOINT and UPSTREAM_TOKEN_ENDPOINT, without OpenID Connect)'
