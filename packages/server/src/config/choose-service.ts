/** Chooses the service account of an upstream, for callers without a person. */

import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import type { ServiceAccount } from './shape.ts'
import type { UpstreamVariables } from './upstream-variables.ts'

const OF_CREDENTIALS = [
  'UPSTREAM_SERVICE_SCOPES',
  'UPSTREAM_SERVICE_CLIENT_ID',
  'UPSTREAM_SERVICE_CLIENT_SECRET',
] as const

/** The result is valid only if no fault was added. */
export function chooseService(
  variables: UpstreamVariables,
  faults: Faults,
): { readonly service?: ServiceAccount } {
  const { UPSTREAM_SERVICE: kind, UPSTREAM_AUTH: auth } = variables
  refuse(kind === 'client_credentials' ? [] : OF_CREDENTIALS, variables, faults)
  refuse(kind === 'api_key' ? [] : ['UPSTREAM_SERVICE_KEY'], variables, faults)
  if (kind === 'none') return {}
  if (auth === 'none') {
    faults.add('UPSTREAM_SERVICE', 'conflicts with UPSTREAM_AUTH=none: nobody signs in there')
  }
  return { service: kind === 'api_key' ? byKey(variables, faults) : byToken(variables, faults) }
}

function byKey(
  { UPSTREAM_SERVICE_KEY: key, UPSTREAM_API_KEY: common }: UpstreamVariables,
  faults: Faults,
): ServiceAccount {
  if (key === undefined && common === undefined) {
    faults.add('UPSTREAM_SERVICE_KEY', 'is required by UPSTREAM_SERVICE=api_key')
  }
  return { kind: 'api_key' }
}

function byToken(variables: UpstreamVariables, faults: Faults): ServiceAccount {
  const { UPSTREAM_SERVICE_CLIENT_ID: clientId, UPSTREAM_SERVICE_CLIENT_SECRET: secret } = variables
  const { UPSTREAM_CLIENT_SECRET: common, UPSTREAM_CLIENT_KEY: key } = variables
  if (variables.UPSTREAM_AUTH === 'key') {
    faults.add('UPSTREAM_SERVICE', 'cannot be client_credentials with UPSTREAM_AUTH=key')
  }
  if ((clientId === undefined) !== (secret === undefined)) {
    const missing = clientId === undefined ? 'CLIENT_ID' : 'CLIENT_SECRET'
    faults.add(`UPSTREAM_SERVICE_${missing}`, 'is missing: id and secret belong together')
  }
  // RFC 6749, section 4.4: only confidential clients.
  if (secret === undefined && common === undefined && key === undefined) {
    faults.add('UPSTREAM_CLIENT_SECRET', 'is required by UPSTREAM_SERVICE=client_credentials')
  }
  return {
    kind: 'client_credentials',
    scopes: variables.UPSTREAM_SERVICE_SCOPES ?? [],
    ...defined({ clientId }),
  }
}

function refuse(
  names: readonly (keyof UpstreamVariables)[],
  variables: UpstreamVariables,
  faults: Faults,
): void {
  for (const name of names) {
    if (variables[name] === undefined) continue
    const kind = name === 'UPSTREAM_SERVICE_KEY' ? 'api_key' : 'client_credentials'
    faults.add(name, `requires UPSTREAM_SERVICE=${kind}`)
  }
}
